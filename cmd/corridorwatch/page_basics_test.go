package main

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

//go:embed testdata/contrast.js
var contrast string

// screens are those on which texts are looked at; media is empty, or print.
var screens = []struct {
	name          string
	width, height int64
	media         string
}{{"wide", 1440, 1600, ""}, {"phone", 390, 1600, ""}, {"paper", 794, 1123, "print"}}

// mostBytes is what the page may load until it shows anything: its own files, compressed. At 64 kB/s that is a second.
const mostBytes = 64 << 10

// brightPixels counts what is drawn nearly white: by day the zones of borders, by night no more than a letter or two.
const brightPixels = `(() => {
	const c = document.querySelector(".diagram .lines canvas");
	const copy = new OffscreenCanvas(c.width, c.height).getContext("2d", { willReadFrequently: true });
	copy.drawImage(c, 0, 0);
	const p = copy.getImageData(0, 0, c.width, c.height).data;
	let n = 0;
	for (let i = 0; i < p.length; i += 4) if (p[i + 3] > 250 && Math.min(p[i], p[i + 1], p[i + 2]) > 220) n++;
	return { Pixels: n };
})()`

// readable goes to a view and holds it against what everybody must be able to read and name: the contrast of texts on a wide screen and on
// a phone, light and dark, and on paper; that a screen does not scroll sideways; the names of what one can use, and of pictures; a title of its own.
func (b *tab) readable(hash string, words ...string) {
	b.t.Helper()
	b.view(hash, words...)
	texts := 0
	for _, screen := range screens {
		for _, scheme := range []string{"light", "dark"} {
			b.show(screen.width, screen.height, screen.media, scheme)
			found := evaluate[struct {
				Texts int
				Wrong []string
			}](b, "the contrast of texts", contrast)
			texts += found.Texts
			b.shoot(hash, screen.name, scheme)
			if night := scheme == "dark" && screen.media == ""; strings.HasPrefix(hash, "#/corridor") && screen.media == "" {
				if bright := evaluate[struct{ Pixels int }](b, "how bright the diagram is", brightPixels).Pixels; night != (bright < 500) {
					b.t.Errorf("%s, %s and %s: %d pixels of the diagram are nearly white", hash, screen.name, scheme, bright)
				}
			}
			for _, wrong := range found.Wrong {
				b.t.Errorf("%s, %s and %s: too little contrast: %s", hash, screen.name, scheme, wrong)
			}
			if cut := evaluate[int](b, "what does not fit", `Math.max(...["html", "main"].map((s) => document.querySelector(s)).map((e) => e.scrollWidth - e.clientWidth)) + 1`); cut > 1 {
				b.t.Errorf("%s, %s: %d pixels are to be scrolled to sideways", hash, screen.name, cut-1)
			}
		}
	}
	if texts < 20 {
		b.t.Errorf("%s: only %d texts were looked at", hash, texts)
	}
	b.show(1280, 800, "", "light")
	b.named(hash)
	title := evaluate[string](b, "the title", "document.title")
	if before, known := b.titles[title]; known && before != hash { // success criterion 2.4.2
		b.t.Errorf("%s and %s are both titled %q", before, hash, title)
	}
	b.titles[title] = hash
}

// shots is where pictures of the views are left, for people to look at.
var shots = flag.String("shots", "", "directory for pictures of each view, on a wide screen and on a phone, light and dark")

// shoot leaves a picture of what is shown, if any are asked for.
func (b *tab) shoot(hash, screen, scheme string) {
	b.t.Helper()
	if *shots == "" {
		return
	}
	picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err == nil {
		name := strings.Trim(strings.NewReplacer("/", "-", "#", "", "?", "-", ":", "-", "|", "-", "%7C", "-").Replace(hash), "-")
		err = os.WriteFile(filepath.Join(*shots, fmt.Sprintf("%s-%s-%s.png", name, screen, scheme)), picture, 0o644)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// show makes the window so large, of a system with that colour scheme, and waits until it is drawn so.
func (b *tab) show(width, height int64, media, scheme string) {
	b.t.Helper()
	command(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: media, Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
	if err := chromedp.Do(b.ctx, chromedp.EmulateViewport(width, height)); err != nil {
		b.t.Fatal(err)
	}
	const frames = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"
	if _, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](frames, chromedp.EvalAwaitPromise)); err != nil {
		b.t.Fatal(err)
	}
}

// command sends a command to the browser.
func command[P, R any](b *tab, c cdp.Command[P, R], params P) R {
	b.t.Helper()
	answer, err := chromedp.Run(b.ctx, func(ctx context.Context, t *chromedp.Target) (R, error) { return cdp.Call(ctx, t, c, params) })
	if err != nil {
		b.t.Fatalf("%s: %v", c.Method, err)
	}
	return answer
}

// needName are the roles that must have a name (WCAG 2.2, success criteria 1.1.1 and 4.1.2).
var needName = []string{"application", "button", "checkbox", "combobox", "Date", "DisclosureTriangle", "image", "img", "link", "listbox", "option",
	"radio", "searchbox", "slider", "spinbutton", "switch", "tab", "textbox"}

// named looks at the page as readers of the screen do: what one can use and pictures have names, as the browser works them out.
func (b *tab) named(hash string) {
	b.t.Helper()
	seen := 0
	for _, node := range command(b, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{}).Nodes {
		if node.Ignored || !slices.Contains(needName, said(node.Role)) {
			continue
		}
		if seen++; strings.TrimSpace(said(node.Name)) == "" {
			b.t.Errorf("%s: a %s without a name (node %v in %v)", hash, said(node.Role), node.NodeID, node.ParentID)
		}
	}
	if seen < 10 {
		b.t.Errorf("%s: only %d controls and pictures were looked at", hash, seen)
	}
	nameless := evaluate[[]string](b, "what the keyboard reaches", `[...document.querySelectorAll('[tabindex="0"]')].filter((e) => !(e.getAttribute("role") && e.getAttribute("aria-label"))).map((e) => e.outerHTML.slice(0, 100))`)
	if len(nameless) > 0 {
		b.t.Errorf("%s: the keyboard reaches what has no role or name: %q", hash, nameless)
	}
}

// said is the text of a property of a node; empty: none.
func said(v *accessibility.Value) string {
	if v == nil {
		return ""
	}
	return strings.Trim(string(v.Value), `"`)
}

// loaded loads the page for the first time, as a browser that has nothing of it, and tells how much that is and how long it takes. How long
// depends on the machine: it is only told.
func (b *tab) loaded() {
	b.t.Helper()
	const first = `new MutationObserver((_, all) => { if (document.querySelector(".board tbody tr")) { window.firstBoard = performance.now(); all.disconnect(); } }).observe(document, { childList: true, subtree: true })`
	command(b, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: first})
	command(b, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true})
	defer command(b, network.SetCacheDisabled, network.SetCacheDisabledParams{})
	if err := chromedp.Do(b.ctx, chromedp.Navigate("about:blank")); err != nil {
		b.t.Fatal(err)
	}
	b.view("#/borders", "Against the norm")
	sizes := evaluate[map[string]int](b, "what was loaded", `Object.fromEntries([...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
		.map((e) => [new URL(e.name).pathname, e.transferSize]).filter(([path]) => !path.startsWith("/api/")))`)
	board := evaluate[float64](b, "the first board", "window.firstBoard")
	total := 0
	for _, n := range sizes {
		total += n
	}
	b.t.Logf("the page loads %d bytes (%v) and shows a board after %.0f ms", total, sizes, board)
	if total > mostBytes || total == 0 || len(sizes) < 3 {
		b.t.Errorf("the page loads %d bytes, want at most %d: %v", total, mostBytes, sizes)
	}
}
