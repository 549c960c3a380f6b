import { render } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Alert } from "./alert";
import { firing, loud } from "./alerting";
import { Alerts } from "./alerts";
import { Borders } from "./borders";
import { CorridorView } from "./corridor";
import { duration, localClocks, minute } from "./format";
import { MapView } from "./map/map";
import { Pipeline } from "./pipeline";
import { PlaceView } from "./place";
import { Report } from "./report";
import { href, read, set, tabs, type At } from "./route";
import { Search } from "./search";
import "./style.css";
import { Live } from "./stream";
import { t, type Key } from "./texts";
import { Trains } from "./trains";
import { Unit } from "./unit";

const live = new Live();

const kinds = ["train", "vessel", "wagon", "container"] as const;
const themes = ["auto", "light", "dark"] as const;

/** Where one is, as the address says. */
function useAt(): At {
  const [at, setAt] = useState(read);
  useEffect(() => {
    const moved = () => setAt(read());
    window.addEventListener("hashchange", moved);
    return () => window.removeEventListener("hashchange", moved);
  }, []);
  return at;
}

function Page() {
  const at = useAt();
  const [, redraw] = useState(0);
  const [theme, setTheme] = useState(localStorage.getItem("theme") ?? "auto");
  const filter = useRef<HTMLInputElement>(null);
  const search = useRef<HTMLInputElement>(null);
  useEffect(() => live.watch(() => redraw((n) => n + 1)), []);
  useEffect(() => {
    const tick = setInterval(() => redraw((n) => n + 1), 1000); // ages grow by themselves
    const key = (e: KeyboardEvent) => {
      if (e.ctrlKey || e.altKey || e.metaKey) return;
      if (e.target instanceof HTMLInputElement || e.target instanceof HTMLSelectElement) {
        if (e.key === "Escape") e.target.blur();
        return;
      }
      const tab = tabs[Number(e.key) - 1];
      if (tab) location.hash = href(tab);
      const input = e.key === "/" ? filter.current ?? search.current : e.key === "s" ? search.current : undefined;
      if (input) {
        input.focus();
        e.preventDefault();
      }
    };
    window.addEventListener("keydown", key);
    return () => {
      clearInterval(tick);
      window.removeEventListener("keydown", key);
    };
  }, []);
  useEffect(() => {
    document.documentElement.dataset["theme"] = theme;
    localStorage.setItem("theme", theme);
  }, [theme]);
  const fires = firing(live).length;
  useEffect(() => {
    document.title = `${fires ? `(${fires}) ` : ""}${[at.id, tabs.some((x) => x === at.view) ? t(at.view as Key) : ""].filter((x) => x).join(", ")} – ${t("title")}`;
  }, [at, fires]);
  const next = themes[(themes.findIndex((x) => x === theme) + 1) % themes.length]!;
  const listed = at.view === "borders" || at.view === "trains";
  const kind = kinds.find((k) => k === at.query.get("unit")) ?? "train";
  const q = at.query.get("q") ?? "";
  const has = new Set([...live.rows("borders"), ...live.rows("trains")].map((r) => r["unit_kind"]));
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById("table")?.focus()}>{t("skip")}</button>
      <header>
        <h1>{t("title")}</h1>
        <nav>
          {tabs.map((tab) => (
            <a key={tab} href={href(tab)} aria-current={at.view === tab ? "page" : undefined}>{t(tab)}{tab === "alerts" && <Fires />}</a>
          ))}
        </nav>
        <Search input={search} />
        <Freshness />
      </header>
      <div class="tools">
        {listed && (
          <label>
            {t("units")}
            <select value={kind} onChange={(e) => set({ unit: e.currentTarget.value === "train" ? "" : e.currentTarget.value })}>
              {kinds.filter((k) => has.has(k) || k === kind).map((k) => <option key={k} value={k}>{t(`unit_${k}` as Key)}</option>)}
            </select>
          </label>
        )}
        {(listed || at.view === "corridor" || (at.view === "alerts" && !at.id)) && (
          <label>
            {t("filter")}
            <input ref={filter} type="search" value={q} placeholder={t("filterHint")} onInput={(e) => set({ q: e.currentTarget.value })} />
          </label>
        )}
        <button type="button" class="theme" onClick={() => { localStorage.setItem("clocks", localClocks() ? "utc" : "place"); redraw((n) => n + 1); }}>
          {t("clocks", t(localClocks() ? "clocks_place" : "clocks_utc"))}
        </button>
        <button type="button" onClick={() => setTheme(next)}>{t("theme", t(theme as Key))}</button>
      </div>
      <main>
        {at.view === "borders" && <Borders live={live} kind={kind} filter={q} />}
        {at.view === "alerts" && (at.id ? <Alert key={at.id} live={live} id={at.id} /> : <Alerts live={live} query={at.query} />)}
        {at.view === "trains" && <Trains live={live} kind={kind} filter={q} />}
        {at.view === "corridor" && <CorridorView live={live} id={at.id} query={at.query} />}
        {at.view === "map" && <MapView live={live} query={at.query} />}
        {at.view === "unit" && <Unit key={at.id} live={live} id={at.id} query={at.query} />}
        {at.view === "place" && <PlaceView key={at.id} live={live} id={at.id} query={at.query} />}
        {at.view === "report" && <Report live={live} id={at.id} query={at.query} />}
        {at.view === "pipeline" && <Pipeline live={live} />}
      </main>
      <footer>{t("keys", String(tabs.length))}</footer>
    </>
  );
}

/** How many alerts fire, in the colour of the worst. */
function Fires() {
  const all = firing(live);
  return all.length ? <> <b class={`fires ${loud(all[0])}`} title={t("firing", String(all.length))}>{all.length}</b></> : null;
}

/** How fresh it is, always to be seen; loud when it is not. */
function Freshness() {
  const s = live.server;
  const old = duration((Date.now() - live.heard) / 1000);
  if (!live.connected) return <p class="fresh bad" role="status">{live.heard ? t("lost", old) : t("connecting")}</p>;
  if (s?.error) return <p class="fresh bad" role="status">{t("stale", s.error)}</p>;
  return (
    <p class="fresh good">
      <span class="dot" aria-hidden="true" /> {t("live")}, {t("asOf", minute(live.now()))}
    </p>
  );
}

live.start();
render(<Page />, document.getElementById("page")!);
