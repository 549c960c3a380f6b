package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

func configCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "show the settings"}
	cmd.AddCommand(&cobra.Command{
		Use:   "print",
		Short: "print every setting with its value, where it comes from and what it means",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := setup()
			if err != nil {
				return err
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
			fmt.Fprintln(w, "SETTING\tVALUE\tFROM\tMEANING")
			for _, s := range cfg.settings() {
				from := "default"
				if s.set {
					from = "environment"
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", s.name, s.value, from, s.desc)
			}
			return w.Flush()
		},
	})
	return cmd
}
