package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"corridorwatch/processors/live"
)

// tab is a tab of a browser, with what went wrong in it.
type tab struct {
	t    *testing.T
	ctx  context.Context
	base string
	// titles of views that were looked at, by title.
	titles map[string]string

	mu       sync.Mutex // guards what follows
	problems []string
}

// openTab starts a browser without a window.
func openTab(t *testing.T, base string) *tab {
	t.Helper()
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(tool(t, "chromium", "chromium")), chromedp.NoSandbox, chromedp.WindowSize(1280, 800))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &tab{t: t, ctx: ctx, base: base, titles: map[string]string{}}
	if err := chromedp.Listen(ctx, b.see); err != nil {
		t.Fatalf("start the browser: %v", err)
	}
	return b
}

// see takes note of what must not happen: a complaint on the console, and a request to anywhere but the program.
func (b *tab) see(ev any) {
	problem := ""
	switch ev := ev.(type) {
	case *network.EventRequestWillBeSent:
		if url := ev.Request.URL; !strings.HasPrefix(url, b.base+"/") && !strings.HasPrefix(url, "data:") && url != "about:blank" {
			problem = "a request to " + url
		}
	case *runtime.EventConsoleAPICalled:
		problem = fmt.Sprintf("console.%s", ev.Type)
	case *runtime.EventExceptionThrown:
		problem = fmt.Sprintf("an exception: %s %+v", ev.ExceptionDetails.Text, ev.ExceptionDetails.Exception)
	case *log.EventEntryAdded:
		problem = fmt.Sprintf("%s: %s %s", ev.Entry.Level, ev.Entry.Text, ev.Entry.URL)
	}
	if problem != "" {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.problems = append(b.problems, problem)
	}
}

// wrong returns what went wrong since it was asked last.
func (b *tab) wrong() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := b.problems
	b.problems = nil
	return out
}

// evaluate returns the value of an expression once it is true.
func evaluate[V any](b *tab, what, expression string) V {
	b.t.Helper()
	poll := chromedp.Poll[V](expression, chromedp.WithPollingInterval(50*time.Millisecond), chromedp.WithPollingTimeout(30*time.Second))
	v, err := chromedp.Run(b.ctx, poll)
	if err != nil && strings.Contains(err.Error(), "Cannot find context") { // that of the page before: it was asked just as the next one came
		v, err = chromedp.Run(b.ctx, poll)
	}
	if err != nil {
		shown, _ := chromedp.Run(b.ctx, chromedp.Evaluate[string]("document.body.innerText"))
		b.t.Fatalf("%s: %v; what went wrong: %v; shown:\n%s", what, err, b.wrong(), shown)
	}
	return v
}

// view goes to a view and returns its text once all the words are in it.
func (b *tab) view(hash string, words ...string) string {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, chromedp.Navigate(b.base+"/"+hash)); err != nil {
		b.t.Fatalf("%s: %v", hash, err)
	}
	list, err := json.Marshal(words)
	if err != nil {
		b.t.Fatal(err)
	}
	text := evaluate[string](b, hash, fmt.Sprintf("%s.every((w) => document.querySelector('main').innerText.includes(w)) && document.querySelector('main').innerText", list))
	if wrong := b.wrong(); len(wrong) > 0 {
		b.t.Errorf("%s: %v", hash, wrong)
	}
	for _, slip := range []string{"NaN", "undefined", "[object", "Invalid Date"} {
		if strings.Contains(text, slip) {
			b.t.Errorf("%s shows %s:\n%s", hash, slip, text)
		}
	}
	return text
}

// TestPage looks at every view of the running program in a browser: nothing complains, nothing is loaded from elsewhere, the numbers are
// those of SQL, what is new is shown by itself, and when the program was killed the page goes on with the next one.
func TestPage(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	s := p.up("--time", "data")
	status, body := s.get("/")
	if status == http.StatusNotFound {
		missing(t, body)
	}
	// What is served is what was built last. Reading it also tells 'go test' that a result of another page is none of this one.
	if built, err := os.ReadFile("../../processors/live/web/dist/index.html"); err != nil || string(built) != body {
		t.Fatalf("the page that is served is not the one that was built (%v):\n%s", err, body)
	}
	world := filepath.Join(t.TempDir(), "world.jsonl")
	s.run("simulate", "--corridors", "khorgos-aktau", "--days", "2", "--interval", "10m", "--out", world)
	s.run("ingest", "--wait", world)
	rows := func(sql string) [][]string {
		var out [][]string
		for line := range strings.Lines(s.query(sql)) {
			out = append(out, strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
		}
		return out[1:]
	}
	b := openTab(t, "http://"+s.HTTP)

	borders := rows("SELECT border_name, direction, toString(waiting) FROM v_borders_now WHERE unit_kind = 'train' ORDER BY 1, 2, 3")
	b.view("#/borders", borders[0][0], "Against the norm")
	shown := evaluate[[][]string](b, "the board", `[...document.querySelectorAll("tbody tr")].map((r) => [r.querySelector("th a").innerText, r.querySelector("th small").innerText,
		r.querySelector(".big").firstChild.textContent]).sort((a, b) => a.join() < b.join() ? -1 : 1)`)
	if fmt.Sprint(shown) != fmt.Sprint(borders) {
		t.Errorf("the board shows %v, SQL says %v", shown, borders)
	}

	trains := rows("SELECT run FROM v_train_status WHERE unit_kind = 'train' AND (state != 'closed' OR seen_at > (SELECT now FROM v_now) - INTERVAL 6 HOUR) ORDER BY run")
	b.view("#/trains", trains[0][0])
	if n := evaluate[int](b, "the trains", `document.querySelectorAll("tbody tr").length`); n != len(trains) {
		t.Errorf("%d trains are shown, SQL says %d", n, len(trains))
	}
	b.view("#/trains?q=nobody", "Nothing fits")

	unit := rows("SELECT unit, count(), countIf(stopped) FROM v_visits WHERE unit_kind = 'train' GROUP BY unit ORDER BY 2 DESC, 1 LIMIT 1")[0]
	b.view("#/unit/"+unit[0], unit[0], "Journey")
	if n := evaluate[int](b, "the visits", `document.querySelectorAll("section:last-of-type tbody tr:not(.leg)").length`); fmt.Sprint(n) != unit[1] {
		t.Errorf("%d visits of %s are shown, SQL says %s", n, unit[0], unit[1])
	}
	b.view("#/unit/nobody", "Nothing is known of nobody")

	seen := rows("SELECT count(DISTINCT unit) FROM v_visits WHERE unit_kind IN ('train', 'vessel') AND place IN (SELECT arrayJoin(places) FROM catalogue_corridors WHERE id = 'khorgos-aktau')")[0][0]
	b.view("#/corridor/khorgos-aktau?h=336", seen+" trains")
	if n := evaluate[int](b, "ink on the diagram", inked); n < 500 {
		t.Errorf("%d pixels of the diagram are drawn", n)
	}

	under := rows("SELECT toString(countIf(place = '')), toString(uniqIf(place, place != '')) FROM v_train_status WHERE state != 'closed' AND isNotNull(lat)")[0]
	b.view("#/map", "trains")
	drawn := evaluate[[]string](b, "the map", `document.querySelector(".map svg") && ["" + document.querySelectorAll(".train").length,
		"" + [...document.querySelectorAll(".standing")].reduce((n, c) => n + Number(c.dataset.places), 0)]`)
	if fmt.Sprint(drawn) != fmt.Sprint(under) {
		t.Errorf("trains on the line and places with trains on the map %v, SQL says %v", drawn, under)
	}

	stays := rows("SELECT countIf(state != 'closed'), countIf(state = 'closed' AND departed >= (SELECT now FROM v_now) - INTERVAL 28 DAY) FROM v_visits WHERE place = 'kz-altynkol' AND unit_kind = 'train' AND stopped")[0]
	text := b.view("#/place/kz-altynkol?days=28", "Altynkol", "Occupation")
	if want := "Standing now\n" + stays[0] + "\n"; !strings.Contains(text, want) || !strings.Contains(text, "Left in 28 days\n"+stays[1]+"\n") {
		t.Errorf("SQL says %v, the place\n%s", stays, text)
	}

	var sheet live.Sheet
	if err := json.Unmarshal([]byte(s.run("report", "khorgos", "--format", "json")), &sheet); err != nil {
		t.Fatal(err)
	}
	b.view("#/report/khorgos", "Railway day "+sheet.Day, "On hand at end")
	var want [][]string
	for _, f := range sheet.Flows {
		for _, side := range f.Sides {
			want = append(want, []string{fmt.Sprint(side.Start), fmt.Sprintf("+%d", side.Arrived), fmt.Sprintf("−%d", side.Left), fmt.Sprint(side.End)})
		}
	}
	shown = evaluate[[][]string](b, "the sheet", `[...document.querySelectorAll("tr:has(.big)")].map((r) => [...r.querySelectorAll(".big")].map((d) => d.firstChild.textContent))`)
	if fmt.Sprint(shown) != fmt.Sprint(want) {
		t.Errorf("the sheet shows %v, 'report' prints %v", shown, want)
	}

	b.view("#/pipeline", "Everything works", "intake", "dwell", "border", "Nothing is rejected")

	b.view("#/borders", borders[0][0])
	typed := `(() => { const i = document.querySelector(".search input"); i.value = "altyn"; i.dispatchEvent(new Event("input", { bubbles: true })); return true; })()`
	evaluate[bool](b, "the search", typed)
	evaluate[bool](b, "what is found", `[...document.querySelectorAll("[role=option]")].map((o) => o.innerText).join().includes("Altynkol") && (document.querySelector("[role=option]").click(), true)`)
	evaluate[bool](b, "the place that was found", `location.hash === "#/place/kz-altynkol" && !!document.querySelector("h2")?.innerText.startsWith("Altynkol")`)

	// What comes is shown by itself, and the time moves on.
	b.view("#/trains", trains[0][0])
	fresh := evaluate[string](b, "the time", `document.querySelector(".fresh").innerText`)
	next := filepath.Join(t.TempDir(), "next.jsonl")
	arrival := `{"specversion":"1.0","type":"train.arrived","source":"page","id":"1","subject":"CRE:99999:2026-03-04","time":"2026-03-04T08:00:00Z","data":{"place":"kz-dostyk"}}`
	if err := os.WriteFile(next, []byte(arrival+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s.run("ingest", "--wait", "--beyond", "1m", next)
	evaluate[bool](b, "a train that is new", fmt.Sprintf(`document.querySelector("main").innerText.includes("CRE:99999:2026-03-04") && document.querySelector(".fresh").innerText !== %q`, fresh))
	if wrong := b.wrong(); len(wrong) > 0 {
		t.Errorf("while something new came: %v", wrong)
	}

	b.alerts(s, rows)

	b.loaded()
	for hash, word := range map[string]string{"#/borders": "Against the norm", "#/alerts": "Firing: ", "#/trains": trains[0][0], "#/corridor/khorgos-aktau?h=336": " trains", "#/map": "trains",
		"#/unit/" + unit[0]: "Journey", "#/place/kz-altynkol": "Occupation", "#/report/khorgos": "On hand at end", "#/pipeline": "Everything works"} {
		b.readable(hash, word)
	}

	b.view("#/trains", "CRE:99999:2026-03-04")
	s.stop(syscall.SIGKILL)
	evaluate[bool](b, "that the program is gone", `document.querySelector(".fresh").innerText.includes("no connection")`)
	p.env = append(p.env, envPrefix+"HTTP_LISTEN="+s.HTTP)
	s = p.up("--time", "data")
	evaluate[bool](b, "the next program", `document.querySelector(".fresh").innerText.trim().startsWith("live") && document.querySelector("main").innerText.includes("CRE:99999:2026-03-04")`)
	b.wrong() // that the connection broke off
	b.days(rows)
}

// days compares the railway days on the board with SQL.
func (b *tab) days(rows func(sql string) [][]string) {
	b.t.Helper()
	var want []string
	for _, r := range rows(`SELECT concat(border_name, ' ', direction, ' ', if(role = 'outbound', 'out of ', 'into '), country, ' +', toString(arrived + formed), ' −', toString(departed + ended)) AS line
		FROM v_border_days WHERE unit_kind = 'train' AND (border, role, direction) IN (SELECT border, role, direction FROM v_borders_now WHERE unit_kind = 'train')
		ORDER BY railway_day DESC LIMIT 1 BY border, role, direction`) {
		want = append(want, r[0])
	}
	slices.Sort(want)
	list, err := json.Marshal(want)
	if err != nil || len(want) == 0 {
		b.t.Fatalf("SQL knows of no railway day (%v)", err)
	}
	b.view("#/borders", "Of the agreement")
	evaluate[bool](b, "the railway days "+string(list), `[...document.querySelectorAll("tbody tr")].map((r) => r.querySelector(".day span") &&
		[r.querySelector("th a"), r.querySelector("th small"), r.cells[1], r.querySelector(".day span")].map((e) => e.innerText.trim()).join(" ")).sort().join("\n") === `+string(list)+`.join("\n")`)
}

// alerts looks at what fires: a closure that is declared while a train waits is shown by itself, in the list, in the navigation, at its
// border and under the address that people are sent, with every version of it; when it is over, it has ended.
func (b *tab) alerts(s *service, rows func(sql string) [][]string) {
	b.t.Helper()
	b.view("#/alerts", "Firing: ")
	const fingerprint = "closure|khorgos|khorgos||CN-KZ||"
	send := func(name, beyond, events string) {
		path := filepath.Join(b.t.TempDir(), name)
		if err := os.WriteFile(path, []byte(events), 0o644); err != nil {
			b.t.Fatal(err)
		}
		s.run("ingest", "--wait", "--beyond", beyond, path)
	}
	send("closed.jsonl", "30h", moved(closed))
	var want []string
	for _, r := range rows(`SELECT fingerprint FROM v_alerts WHERE firing ORDER BY transform(severity, ['info', 'ticket', 'page'], [0, 1, 2], -1) DESC, since, fingerprint`) {
		want = append(want, r[0])
	}
	firing := len(want)
	for _, r := range rows(`SELECT fingerprint FROM v_alerts WHERE resolved > (SELECT now FROM v_now) - INTERVAL 24 HOUR ORDER BY resolved DESC, fingerprint`) {
		want = append(want, r[0])
	}
	list, err := json.Marshal(want)
	if err != nil {
		b.t.Fatal(err)
	}
	evaluate[bool](b, "the alerts that SQL has, "+string(list), fmt.Sprintf(`JSON.stringify([...document.querySelectorAll("tr.none, tr.warn, tr.bad")].map((r) => r.dataset.fingerprint)) === %q`, list))
	if n := evaluate[string](b, "the number that fires", `document.querySelector("nav .fires")?.innerText`); n != fmt.Sprint(firing) {
		b.t.Errorf("%s alerts fire in the navigation, SQL says %d", n, firing)
	}
	b.view("#/alerts?border=dostyk", "Nothing fits")
	b.view("#/alerts?border=khorgos&severity=ticket", "closed")
	b.view("#/borders", "closed")
	b.compare("the board's link to the alert", `decodeURIComponent([...document.querySelectorAll("tbody .fires")].map((a) => a.getAttribute("href")).find((h) => h.includes("closure") || h.includes("border=khorgos")))`,
		[]string{"#/alerts/" + fingerprint, "#/alerts?border=khorgos"})

	b.view("alerts/"+url.PathEscape(fingerprint), "What was told of it", "wind")
	row := rows("SELECT summary, evidence, restriction FROM v_alerts WHERE fingerprint = '" + fingerprint + "'")[0]
	b.readable("#/alerts/"+url.PathEscape(fingerprint), "What was told of it", row[0])
	text := b.view("#/alerts/"+url.PathEscape(fingerprint), "What was told of it", row[0])
	for _, want := range row {
		if !strings.Contains(text, want) {
			b.t.Errorf("the alert does not show %q:\n%s", want, text)
		}
	}
	send("opened.jsonl", "2h", moved(opened))
	evaluate[bool](b, "that it has ended, by itself", `document.querySelector(".banner")?.innerText.includes("It ended")`)
	versions := rows("SELECT DISTINCT updated FROM alerts_history WHERE fingerprint = '" + fingerprint + "'")
	evaluate[bool](b, "every version of it", fmt.Sprintf(`document.querySelectorAll(".versions tbody tr").length === %d`, len(versions)))
	b.view("#/alerts/nothing%7Cwhatever", "Nothing is known of an alert")
	if wrong := b.wrong(); len(wrong) > 0 {
		b.t.Errorf("alerts: %v", wrong)
	}
}

// moved are the events of a closure four days later, when nothing else happens any more.
func moved(events string) string {
	return strings.NewReplacer("2026-03-01", "2026-03-05", "2026-03-02", "2026-03-06").Replace(events)
}

// compare holds the value of an expression against those that are right.
func (b *tab) compare(what, expression string, right []string) {
	b.t.Helper()
	if got := evaluate[string](b, what, expression); !slices.Contains(right, got) {
		b.t.Errorf("%s: %q, want one of %q", what, got, right)
	}
}

// inked counts the pixels of the lines that are not empty.
const inked = `(() => {
	const c = document.querySelector(".diagram .lines canvas");
	if (!c || !c.width) return 0;
	const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
	let n = 0;
	for (let i = 3; i < d.length; i += 4) if (d[i] > 100) n++;
	return n;
})()`
