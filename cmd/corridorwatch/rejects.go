package main

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"corridorwatch/ingest"
	"corridorwatch/schemas/pb"
)

func rejectsCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "rejects", Short: "what could not be read or believed: list it, try it again"}
	cmd.AddCommand(rejectsListCmd(), rejectsRetryCmd())
	return cmd
}

func rejectsListCmd() *cobra.Command {
	var all bool
	var limit int
	cmd := &cobra.Command{
		Use:   "list",
		Short: "print what is rejected, the newest first",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := setup()
			if err != nil {
				return err
			}
			if cfg, err = cfg.find(); err != nil {
				return err
			}
			where := "WHERE open"
			if all {
				where = ""
			}
			sql := fmt.Sprintf("SELECT id, at, source, reason, path, detail, attempts, substring(value, 1, 120) AS value FROM v_rejects %s ORDER BY at DESC, id LIMIT %d", where, limit)
			return cfg.query(cmd.Context(), sql, "PrettyCompactMonoBlock", cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "also those whose retry was accepted")
	cmd.Flags().IntVar(&limit, "limit", 50, "rows")
	return cmd
}

func rejectsRetryCmd() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "retry [ID...]",
		Short: "send rejects through intake once more, after a mend; without IDs all that are open",
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			cfg, log, choice, err := connect(ctx)
			if err != nil {
				return err
			}
			defer log.Close()
			where := "open"
			if len(args) > 0 {
				where += " AND id IN (" + quoted(args) + ")"
			}
			if reason != "" {
				where += " AND reason = " + quoted([]string{reason})
			}
			rows, err := cfg.queryRows(ctx, "SELECT id, hex(source), reason, hex(detail), hex(path), content_type, attempts, hex(value) FROM v_rejects WHERE "+where+" ORDER BY id")
			if err != nil {
				return err
			}
			w := ingest.NewWriter(log, cfg.Prefix, choice.Partitions)
			for _, r := range rows {
				reject, err := rejectOf(r)
				if err != nil {
					return err
				}
				if err := w.Retry(reject); err != nil {
					return err
				}
				if err := w.FlushIfFull(ctx); err != nil {
					return fmt.Errorf("send rejects: %w", err)
				}
			}
			if err := w.Flush(ctx); err != nil {
				return fmt.Errorf("send rejects: %w", err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "sent %d again; 'rejects list' shows those that are still rejected once the next tick has passed\n", len(rows))
			return nil
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "only those rejected for this reason, e.g. unknown_place")
	return cmd
}

func quoted(words []string) string {
	for i, w := range words {
		words[i] = "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(w) + "'"
	}
	return strings.Join(words, ", ")
}

// rejectOf reads a row of v_rejects whose free texts came as hexadecimal digits.
func rejectOf(row []string) (*pb.Reject, error) {
	if len(row) != 8 {
		return nil, fmt.Errorf("a reject of %d columns, not 8", len(row))
	}
	var text [8]string
	for _, i := range []int{1, 3, 4, 7} {
		b, err := hex.DecodeString(row[i])
		if err != nil {
			return nil, fmt.Errorf("reject %s: %w", row[0], err)
		}
		text[i] = string(b)
	}
	attempts, err := strconv.ParseUint(row[6], 10, 32)
	if err != nil {
		return nil, fmt.Errorf("reject %s: %w", row[0], err)
	}
	return &pb.Reject{Id: row[0], Source: text[1], Reason: row[2], Detail: text[3], Path: text[4], ContentType: row[5], Attempts: uint32(attempts), Value: []byte(text[7])}, nil
}
