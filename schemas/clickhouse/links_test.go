package clickhouse_test

import (
	"fmt"
	"testing"
)

// TestLinks: four containers come to a place on A. Three go on with B, a day later; the fourth is still there, though A has ended and
// named C. One joins B from elsewhere. Stage time is 2026-03-05 00:00.
func TestLinks(t *testing.T) {
	d := migrated(t)
	d.exec("INSERT INTO DB.ticks VALUES ('visits', 0, 'dwell', 0, 1772668800000)")
	row := func(unit, in, out, departed, off, on, asOf, cause string) {
		d.exec(fmt.Sprintf(`INSERT INTO DB.visits (unit, unit_kind, journey, place, n, arrived, departed, stopped, state, vehicle_in, vehicle_out,
			transfer_first, transfer_second, transfer_places, transfer_arrived, transfer_off_at, transfer_on_at, transfer_departed,
			transfer_on_first_s, transfer_between_s, transfer_on_second_s, transfer_cause, transfer_cause_s, transfer_unexplained_s, transfer_as_of, transfer_going_on, version)
			VALUES ('%[1]s', 'container', '%[1]s/1', 'yard', 1, '2026-03-01 00:00:00', %[4]s, true, 'closed', '%[2]s', '%[3]s',
			'%[2]s', '%[3]s', ['yard'], '2026-03-01 00:00:00', %[5]s, %[6]s, %[4]s, 3600, 3600, 0, ['customs'], [1800], 5400, %[7]s, [%[8]s], 1)`,
			unit, in, out, departed, off, on, asOf, cause))
	}
	for _, unit := range []string{"C1", "C2", "C3"} {
		row(unit, "A", "B", "'2026-03-02 00:00:00'", "'2026-03-01 01:00:00'", "'2026-03-01 02:00:00'", "0", "")
	}
	row("C4", "A", "", "0", "'2026-03-01 01:00:00'", "0", "'2026-03-01 02:00:00'", "'customs'")
	row("C5", "Z", "B", "'2026-03-02 00:00:00'", "'2026-03-01 01:00:00'", "'2026-03-01 02:00:00'", "0", "")
	d.exec("INSERT INTO DB.train_events (subject, source, id, verb, unit_kind, time, place, continued_by, recorded_at, hash) VALUES ('A', 's', '1', 'ended', 'train', '2026-03-01 01:30:00', 'yard', 'C', '2026-03-01 01:30:00', 1)")

	d.want("SELECT run_a, run_b, containers_a, containers_b, common, share_of_a, share_of_b, jaccard, between_h, told, confidence FROM DB.v_train_links ORDER BY run_a",
		"A\tB\t4\t4\t3\t0.75\t0.75\t0.6\t1\tfalse\tpart",
		"Z\tB\t1\t4\t1\t1\t0.25\t0.25\t1\tfalse\tpart")
	// From the departure of the three until now; what goes on is told up to now: three days and 22 hours of customs more.
	d.want("SELECT unit, arrived_with, rest_left_as, rest_n, of_n, forwarded_with, left_behind_s, main_cause, state FROM DB.v_left_behind",
		"C4\tA\tB\t3\t4\t\t259200\tcustoms\topen")
	d.want("SELECT on_first_s, between_s, on_second_s, sum_s, causes, unexplained_s FROM DB.v_transfers WHERE unit = 'C4'",
		"3600\t342000\t0\t345600\t[('customs',340200)]\t5400")
}
