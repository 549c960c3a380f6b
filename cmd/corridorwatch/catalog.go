package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"corridorwatch/schemas/network"
)

// catalogue loads the catalogue of CATALOG_DIR, or the embedded one.
func (c config) catalogue() (*network.Catalog, error) {
	cat, err := network.Embedded()
	if c.CatalogDir != "" {
		cat, err = network.LoadDir(c.CatalogDir)
	}
	if err != nil {
		return nil, fmt.Errorf("catalogue %s (see 'corridorwatch catalog check'):\n%w", c.CatalogDir, err)
	}
	for _, line := range c.OpenLines {
		corridor, from, err := network.ParseLine(line)
		if err == nil {
			err = cat.OpenLine(corridor, from)
		}
		if err != nil {
			return nil, err
		}
	}
	return cat, nil
}

// openHelp is of --open, which stands beside the environment.
const openHelp = "planned corridors to be taken as open, such as cku, or cku@2026-03-02 from a day on; CORRIDORWATCH_OPEN_LINES says so to every other command"

func catalogCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "catalog", Short: "check or show the catalogue of places, borders and corridors"}
	cmd.AddCommand(
		&cobra.Command{
			Use:   "check [DIR]",
			Short: "name every mistake of a catalogue by file and line",
			Args:  cobra.MaximumNArgs(1),
			RunE: func(cmd *cobra.Command, args []string) error {
				cat, err := catalogueOf(args)
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "ok: %d places, %d borders, %d gauge breaks, %d areas, %d sections, %d corridors\n",
					len(cat.Places), len(cat.Borders), len(cat.GaugeBreaks), len(cat.Areas), len(cat.Sections), len(cat.Corridors))
				return nil
			},
		},
		&cobra.Command{
			Use:   "show [DIR]",
			Short: "print the corridors as tables",
			Args:  cobra.MaximumNArgs(1),
			RunE: func(cmd *cobra.Command, args []string) error {
				cat, err := catalogueOf(args)
				if err != nil {
					return err
				}
				return cat.WriteTables(cmd.OutOrStdout())
			},
		},
	)
	return cmd
}

func catalogueOf(args []string) (*network.Catalog, error) {
	cfg, err := setup()
	if err != nil {
		return nil, err
	}
	if len(args) == 1 {
		cfg.CatalogDir = args[0]
	}
	return cfg.catalogue()
}
