package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"corridorwatch/internal/installation"
	"corridorwatch/internal/kafkalog"
)

// dial makes a client of the brokers; nothing is sent yet.
func (c config) dial() (*kafkalog.Client, error) {
	mechanism, err := c.sasl()
	if err != nil {
		return nil, fmt.Errorf("SASL: %w", err)
	}
	return kafkalog.New(kafkalog.Config{Brokers: c.Brokers, TLS: c.kafkaTLS, SASL: mechanism, ClientID: "corridorwatch"}), nil
}

// connect finds the running installation and makes sure that its broker answers.
func connect(ctx context.Context) (config, *kafkalog.Client, installation.Choice, error) {
	var none installation.Choice
	cfg, err := setup()
	if err != nil {
		return cfg, nil, none, err
	}
	if cfg, err = cfg.find(); err != nil {
		return cfg, nil, none, err
	}
	log, err := cfg.dial()
	if err != nil {
		return cfg, nil, none, err
	}
	if err := log.Ping(ctx); err != nil {
		return cfg, nil, none, fmt.Errorf("no broker at %v (is 'corridorwatch up' running? else set CORRIDORWATCH_BROKERS): %w", cfg.Brokers, err)
	}
	choice, err := installation.Read(ctx, log, cfg.Prefix)
	if err != nil {
		return cfg, nil, none, err
	}
	return cfg, log, choice, nil
}

func topicsCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "topics", Short: "show or create the topics of an installation"}
	cmd.AddCommand(topicsPlanCmd(), topicsApplyCmd())
	return cmd
}

func topicsPlanCmd() *cobra.Command {
	var replication int
	var principal string
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "print the topics, what 'apply' would create, and what each role must be granted",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, log, err := dialOnly()
			if err != nil {
				return err
			}
			defer log.Close()
			have, err := log.Topics(cmd.Context())
			if err != nil {
				return fmt.Errorf("list topics of %v: %w", cfg.Brokers, err)
			}
			if replication, err = replicas(cmd.Context(), log, replication); err != nil {
				return err
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
			fmt.Fprintln(w, "TOPIC\tPARTITIONS\tSTATE\tSETTINGS")
			for _, s := range installation.Specs(cfg.Prefix, cfg.Partitions, replication) {
				state := "missing: apply creates it"
				if n := have[s.Name]; n == s.Partitions {
					state = "ok"
				} else if n > 0 {
					state = fmt.Sprintf("has %d partitions: replay into a new prefix to change that", n)
				}
				fmt.Fprintf(w, "%s\t%d\t%s\t%v\n", s.Name, s.Partitions, state, s.Configs)
			}
			if err := w.Flush(); err != nil {
				return err
			}
			m := newMember(cfg, "")
			if m.cat, err = cfg.catalogue(); err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), "\nWhere brokers ask for permission, an administrator grants a role what it needs:")
			printACLs(cmd.OutOrStdout(), cfg.Brokers, principal, grants(cfg.Prefix, m.stages(stageNames())))
			return nil
		},
	}
	replicationFlag(cmd, &replication)
	cmd.Flags().StringVar(&principal, "principal", "User:corridorwatch", "whom to grant what the roles need")
	return cmd
}

func topicsApplyCmd() *cobra.Command {
	var replication int
	var timeMode string
	cmd := &cobra.Command{
		Use:   "apply",
		Short: "create the installation: its topics, and how time passes in it",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if timeMode != installation.Wall && timeMode != installation.Data {
				return errors.New("--time is wall or data")
			}
			cfg, log, err := dialOnly()
			if err != nil {
				return err
			}
			defer log.Close()
			if replication, err = replicas(cmd.Context(), log, replication); err != nil {
				return err
			}
			want := installation.Choice{Time: timeMode, Partitions: cfg.Partitions}
			if err := installation.Open(cmd.Context(), log, cfg.Prefix, want, replication); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "installation %q: %d partitions, %d replicas, %s time\n", cfg.Prefix, want.Partitions, replication, want.Time)
			return nil
		},
	}
	replicationFlag(cmd, &replication)
	cmd.Flags().StringVar(&timeMode, "time", installation.Wall, "wall (a clock) or data (one producer of time)")
	return cmd
}

func replicationFlag(cmd *cobra.Command, into *int) {
	cmd.Flags().IntVar(into, "replication", 0, "replicas of each partition; 0: 3 where there are as many brokers, else 1")
}

// replicas is the number of replicas to ask for.
func replicas(ctx context.Context, log *kafkalog.Client, asked int) (int, error) {
	if asked > 0 {
		return asked, nil
	}
	n, err := log.BrokerCount(ctx)
	if err != nil {
		return 0, err
	}
	if n >= 3 {
		return 3, nil
	}
	return 1, nil
}

func dialOnly() (config, *kafkalog.Client, error) {
	cfg, err := setup()
	if err != nil {
		return cfg, nil, err
	}
	if cfg, err = cfg.find(); err != nil {
		return cfg, nil, err
	}
	log, err := cfg.dial()
	return cfg, log, err
}
