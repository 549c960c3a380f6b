import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { useRows } from "./api";
import { useCatalogue, type Catalogue, type Corridor } from "./catalogue";
import { Canvas } from "./diagram/canvas";
import type { Picture, Zone } from "./diagram/draw";
import { lines, type Told } from "./diagram/lines";
import { day, farthest, hour, nearest, type Window } from "./diagram/scale";
import { duration } from "./format";
import { href, set } from "./route";
import type { Live } from "./stream";
import { t } from "./texts";

/** The time-distance diagram: places by kilometre, a line for each train. */
export function CorridorView(p: { live: Live; id: string; query: URLSearchParams }) {
  const known = useCatalogue();
  const now = p.live.now();
  if (!known || Number.isNaN(now)) return <p class="empty">{t("loading")}</p>;
  const corridor = known.corridors.get(p.id) ?? known.corridors.get(usual(p.live, known));
  if (!corridor) return <p class="empty">{t("nothing")}</p>;
  return <Diagram key={corridor.id} live={p.live} known={known} corridor={corridor} query={p.query} now={now} />;
}

/** The corridor on which most trains are. */
function usual(live: Live, known: Catalogue): string {
  const counts = new Map<string, number>();
  for (const r of live.rows("trains")) {
    const id = String(r["direction_by"]);
    if (known.corridors.has(id)) counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? [...known.corridors.keys()][0] ?? "";
}

/** Lines are asked for again so often; between, trains under way move by the stream. */
const refresh = 15_000;

function Diagram(p: { live: Live; known: Catalogue; corridor: Corridor; query: URLSearchParams; now: number }) {
  const { known, now } = p;
  const corridor = useMemo(() => stretched(p.corridor), [p.corridor]);
  const end = Math.max(1, corridor.km.at(-1) ?? 0);
  const all: [number, number] = [-0.02 * end, 1.03 * end];
  const [stretch, setStretch] = useStretch(p.query);
  const [km, setKm] = useState(all);
  const [listed, setListed] = useState(false);
  // Where no time is given the window goes along with now, which lies at three quarters of it.
  const t1 = Number.isNaN(stretch.to) ? now + stretch.span / 4 : stretch.to;
  const seen: Window = { t0: t1 - stretch.span, t1, k0: km[0], k1: km[1] };
  // What is asked for is cut to half days, so that panning does not ask at each step.
  const half = day / 2;
  const asked = useRows<Told>("lines", {
    corridor: corridor.id, from: new Date(Math.floor(seen.t0 / half) * half).toISOString(), to: new Date(Math.ceil(seen.t1 / half) * half).toISOString(), limit: 20_000,
  }, refresh);
  const told = useRef<Told[]>([]);
  if (asked.rows) told.current = asked.rows; // while another stretch is asked for, the last one stays on the screen
  const drawn = useMemo(() => lines(told.current, corridor, known.places, p.live.views.get("trains") ?? new Map()), [told.current, Math.floor(now / 60_000)]);
  const filter = (p.query.get("q") ?? "").toLowerCase();
  const shown = useMemo(() => (filter ? drawn.filter((l) => l.unit.toLowerCase().includes(filter)) : drawn), [drawn, filter]);
  const planned = p.query.get("plan") !== "no";
  const picture: Picture = {
    lines: shown, planned, now, zones: zones(corridor, known),
    stops: corridor.places.map((id, i) => ({ id, km: corridor.km[i]!, name: known.places.get(id)?.name ?? id })),
    km: (at) => between(corridor.km, p.corridor.km, at),
  };
  const move = (w: Window) => {
    if (w.k0 !== seen.k0 || w.k1 !== seen.k1) setKm([w.k0, w.k1]);
    if (w.t0 !== seen.t0 || w.t1 !== seen.t1) setStretch({ span: w.t1 - w.t0, to: w.t1 });
  };
  const follow = Number.isNaN(stretch.to);
  const within = shown.filter((l) => l.from <= seen.t1 && Math.min(l.to, now) >= seen.t0);
  return (
    <section class="corridor">
      <div class="tools">
        <label>
          {t("corridor")}
          <select value={corridor.id} onChange={(e) => (location.hash = href("corridor", e.currentTarget.value, p.query))}>
            {[...known.corridors.values()].map((c) => <option key={c.id} value={c.id}>{c.name + (c.status === "open" ? "" : ` (${c.status})`)}</option>)}
          </select>
        </label>
        <span class="buttons" role="group" aria-label={t("span")}>
          {[6, 24, 72, 168, 336].map((h) => (
            <button key={h} type="button" aria-pressed={Math.abs(stretch.span - h * hour) < hour / 2} onClick={() => setStretch({ span: h * hour, to: follow ? NaN : stretch.to + (h * hour - stretch.span) / 2 })}>
              {h < 48 ? `${h} h` : `${h / 24} d`}
            </button>
          ))}
          <button type="button" aria-pressed={follow} onClick={() => { setStretch({ ...stretch, to: NaN }); setKm(all); }}>{t("now")}</button>
        </span>
        <label><input type="checkbox" checked={planned} onChange={(e) => set({ plan: e.currentTarget.checked ? "" : "no" })} /> {t("plannedLines")}</label>
        <span class="count">{asked.rows || told.current.length ? t("trainsSeen", String(within.length)) : ""}{asked.error ? ` – ${asked.error}` : ""}</span>
      </div>
      <Canvas picture={picture} seen={seen} all={all} move={move} told={told.current.length > 0 || !!asked.rows} />
      <p class="legend">
        <span class="good">{t("onTime")}</span><span class="warn">{t("lateUpTo")}</span><span class="bad">{t("lateMore")}</span><span class="none">{t("noPlan")}</span>
        <span>{t("diagramKeys")}</span>
      </p>
      <details onToggle={(e) => setListed(e.currentTarget.open)}>
        <summary>{t("asTable")}</summary>
        {listed && (
          <ul class="units">
            {within.map((l) => (
              <li key={l.unit}><a href={href("unit", l.unit)}>{l.unit}</a> {Number.isNaN(l.delay) ? "" : t("delayOf", duration(l.delay))}</li>
            ))}
          </ul>
        )}
      </details>
    </section>
  );
}

/** The time that is seen: how long, and until when; NaN: it goes along with now. */
interface Stretch {
  span: number;
  to: number;
}

/** The stretch is part of the address, which is written when it has come to rest: browsers allow few changes of it a second. */
function useStretch(query: URLSearchParams): [Stretch, (s: Stretch) => void] {
  const told = `${query.get("h") ?? ""} ${query.get("to") ?? ""}`;
  const [state, setState] = useState({ told: "", span: 0, to: NaN });
  const timer = useRef(0);
  let now = state;
  if (!state.span || state.told !== told) {
    const span = Math.min(farthest, Math.max(nearest, (Number(query.get("h")) || 72) * hour));
    now = { told, span, to: Date.parse((query.get("to") ?? "") + "Z") };
    setState(now);
  }
  useEffect(() => () => clearTimeout(timer.current), []);
  const change = (s: Stretch) => {
    setState({ ...s, told });
    clearTimeout(timer.current);
    timer.current = window.setTimeout(() => {
      const h = String(Math.round((s.span / hour) * 100) / 100);
      const to = Number.isNaN(s.to) ? "" : new Date(s.to).toISOString().slice(0, 19);
      setState({ ...s, told: `${h} ${to}` });
      set({ h, to });
    }, 300);
  };
  return [now, change];
}

/** Neighbouring places lie at least this part of the diagram apart: else nobody could see what happens between two border stations. */
const least = 0.025;

/** The corridor with places that lie close together moved apart; its kilometres are then those of the diagram. */
function stretched(c: Corridor): Corridor {
  const total = c.km.at(-1) ?? 0;
  let at = 0;
  return { ...c, km: c.km.map((km, i) => (at += i ? Math.max(km - c.km[i - 1]!, total * least) : 0)) };
}

/** The value of an ascending function, given by points, between them. */
function between(xs: number[], ys: number[], x: number): number {
  const i = Math.min(Math.max(1, xs.findIndex((v) => v >= x)), xs.length - 1);
  const part = (x - xs[i - 1]!) / (xs[i]! - xs[i - 1]! || 1);
  return ys[i - 1]! + Math.min(1, Math.max(0, part)) * (ys[i]! - ys[i - 1]!);
}

/** Borders on the corridor: from the first to the last of their places on it. */
function zones(c: Corridor, known: Catalogue): Zone[] {
  const out: Zone[] = [];
  for (const b of known.borders.values()) {
    const on = (side: string[]) => c.places.flatMap((id, i) => (side.includes(id) ? [c.km[i]!] : []));
    const [a, z] = [on(b.places_a), on(b.places_b)];
    if (a.length && z.length) out.push({ name: b.name, k0: Math.min(...a, ...z), k1: Math.max(...a, ...z) });
  }
  return out;
}
