package ingest

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

// DryRun prints the first rows of the input, raw beside what becomes of them, and sends nothing. It returns how many of them would
// be rejected.
func DryRun(out io.Writer, o Options, rows int) (rejected int, err error) {
	readers, done, err := openAll(o)
	defer done()
	if err != nil {
		return 0, err
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "RAW\tTYPE\tSUBJECT\tTIME\tPLACE OR POSITION\tID")
	for _, r := range readers {
		for ; rows > 0; rows-- {
			it, err := r.next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return rejected, err
			}
			raw := oneLine(string(it.raw), 60)
			if it.fault == nil && o.Form != nil {
				it.fault = o.Form.Apply(it.ev)
			}
			if it.fault != nil {
				rejected++
				fmt.Fprintf(w, "%s\tREJECTED\t%s\n", raw, it.fault)
				continue
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", raw, schemas.TypeName(it.ev.Verb, it.ev.UnitKind), it.ev.Subject,
				schemas.AppendTime(nil, it.ev.Time, it.ev.OffsetMin), where(it.ev), it.ev.Id)
		}
	}
	return rejected, w.Flush()
}

func where(ev *pb.Event) string {
	if p := ev.GetPosition(); p != nil {
		return fmt.Sprintf("%.5f, %.5f", float64(p.LatE7)/1e7, float64(p.LonE7)/1e7)
	}
	return ev.Place
}

func oneLine(s string, n int) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "?")), " ")
	if runes := []rune(s); len(runes) > n {
		return string(runes[:n-3]) + "..."
	}
	return s
}
