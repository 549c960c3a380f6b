import { render } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Borders } from "./borders";
import { duration, minute } from "./format";
import "./style.css";
import { Live } from "./stream";
import { t, type Key } from "./texts";
import { Trains } from "./trains";

const live = new Live();

// Where one is lies behind the #, so that an address can be sent to somebody: #/borders?unit=train&q=dostyk
const tabs = ["borders", "trains"] as const;
const kinds = ["train", "vessel", "wagon", "container"] as const;
const themes = ["auto", "light", "dark"] as const;

interface At {
  tab: (typeof tabs)[number];
  kind: string;
  filter: string;
}

function read(): At {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const q = new URLSearchParams(query ?? "");
  const kind = q.get("unit") ?? "train";
  return { tab: tabs.find((x) => x === path) ?? "borders", kind: kinds.some((k) => k === kind) ? kind : "train", filter: q.get("q") ?? "" };
}

function go(to: Partial<At>): void {
  const at = { ...read(), ...to };
  const q = new URLSearchParams();
  if (at.kind !== "train") q.set("unit", at.kind);
  if (at.filter) q.set("q", at.filter);
  const query = q.toString();
  history.replaceState(null, "", `#/${at.tab}${query ? "?" + query : ""}`);
  window.dispatchEvent(new HashChangeEvent("hashchange"));
}

function Page() {
  const [at, setAt] = useState(read);
  const [, redraw] = useState(0);
  const [theme, setTheme] = useState(localStorage.getItem("theme") ?? "auto");
  const filter = useRef<HTMLInputElement>(null);
  useEffect(() => live.watch(() => redraw((n) => n + 1)), []);
  useEffect(() => {
    const tick = setInterval(() => redraw((n) => n + 1), 1000); // ages grow by themselves
    const moved = () => setAt(read());
    const key = (e: KeyboardEvent) => {
      if (e.ctrlKey || e.altKey || e.metaKey) return;
      if (e.target instanceof HTMLInputElement) {
        if (e.key === "Escape") e.target.blur();
        return;
      }
      const tab = tabs[Number(e.key) - 1];
      if (tab) go({ tab });
      if (e.key === "/") {
        filter.current?.focus();
        e.preventDefault();
      }
    };
    window.addEventListener("hashchange", moved);
    window.addEventListener("keydown", key);
    return () => {
      clearInterval(tick);
      window.removeEventListener("hashchange", moved);
      window.removeEventListener("keydown", key);
    };
  }, []);
  useEffect(() => {
    document.documentElement.dataset["theme"] = theme;
    localStorage.setItem("theme", theme);
  }, [theme]);
  const next = themes[(themes.findIndex((x) => x === theme) + 1) % themes.length]!;
  const has = new Set([...live.rows("borders"), ...live.rows("trains")].map((r) => r["unit_kind"]));
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById("table")?.focus()}>{t("skip")}</button>
      <header>
        <h1>{t("title")}</h1>
        <nav>
          {tabs.map((tab) => (
            <a key={tab} href={`#/${tab}`} aria-current={at.tab === tab ? "page" : undefined}>{t(tab)}</a>
          ))}
        </nav>
        <Freshness />
      </header>
      <div class="tools">
        <label>
          {t("units")}
          <select value={at.kind} onChange={(e) => go({ kind: e.currentTarget.value })}>
            {kinds.filter((k) => has.has(k) || k === at.kind).map((k) => <option key={k} value={k}>{t(`unit_${k}` as Key)}</option>)}
          </select>
        </label>
        <label>
          {t("filter")}
          <input ref={filter} type="search" value={at.filter} placeholder={t("filterHint")} onInput={(e) => go({ filter: e.currentTarget.value })} />
        </label>
        <button type="button" onClick={() => setTheme(next)}>{t("theme", t(theme as Key))}</button>
      </div>
      <main>{at.tab === "borders" ? <Borders live={live} kind={at.kind} filter={at.filter} /> : <Trains live={live} kind={at.kind} filter={at.filter} />}</main>
      <footer>{t("keys")}</footer>
    </>
  );
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
