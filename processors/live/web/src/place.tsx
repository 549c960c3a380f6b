import { useRef } from "preact/hooks";
import { useRows } from "./api";
import { useBox } from "./box";
import { useCatalogue } from "./catalogue";
import { day, hour, marks } from "./diagram/scale";
import { clocks, duration, number, text } from "./format";
import { href, set } from "./route";
import type { Live, Row } from "./stream";
import { t, type Key } from "./texts";

interface Stay {
  unit: string;
  from: number;
  to: number; // until now where it is still there
  open: boolean;
}

const most = 20_000;
const refresh = 15_000;
const columns = "unit,arrived,entered,departed,left,state,dwell_s";

/** What stands at a place, how long things stay, and how many were there. */
export function PlaceView(p: { live: Live; id: string; query: URLSearchParams }) {
  const known = useCatalogue();
  const now = p.live.now();
  const days = Number(p.query.get("days")) || 7;
  const kind = p.query.get("unit") ?? "train";
  const since = new Date(Math.floor((now - days * day) / hour) * hour);
  const ask = { place: p.id, unit_kind: kind, stopped: "true", columns, limit: most };
  const gone = useRows<Row>(Number.isNaN(now) ? "" : "visits", { ...ask, state: "closed", "departed.from": Number.isNaN(now) ? "" : since.toISOString() }, refresh);
  const here = useRows<Row>("visits", { ...ask, state: "open,silent" }, refresh);
  const clock = clocks(known);
  const place = known?.places.get(p.id);
  const error = gone.error || here.error;
  if (error && !gone.rows) return <p class="empty bad" role="alert">{error}</p>;
  if (!known || !gone.rows || !here.rows) return <p class="empty">{t("loading")}</p>;
  const stays = [...gone.rows, ...here.rows].map((r): Stay => {
    const open = r["state"] !== "closed";
    return { unit: text(r["unit"]), from: Date.parse(text(r["arrived"]) || text(r["entered"])), to: open ? now : Date.parse(text(r["departed"]) || text(r["left"])), open };
  }).filter((s) => s.from <= s.to).sort((a, b) => a.from - b.from || (a.unit < b.unit ? -1 : 1));
  const dwells = gone.rows.map((r) => number(r["dwell_s"])).filter((v) => v >= 0).sort((a, b) => a - b);
  const waiting = stays.filter((s) => s.open);
  return (
    <article id="table" tabIndex={-1} class="unit">
      <h2>{place?.name ?? p.id} <small>{[place?.country, ...(place?.kinds ?? [])].join(", ")}</small></h2>
      <div class="tools">
        <span class="buttons" role="group" aria-label={t("span")}>
          {[1, 7, 14, 28].map((d) => <button key={d} type="button" aria-pressed={d === days} onClick={() => set({ days: d === 7 ? "" : String(d) })}>{`${d} d`}</button>)}
        </span>
        <span class="buttons" role="group" aria-label={t("units")}>
          {["train", "vessel", "wagon", "container"].map((k) => <button key={k} type="button" aria-pressed={k === kind} onClick={() => set({ unit: k === "train" ? "" : k })}>{t(`unit_${k}` as Key)}</button>)}
        </span>
      </div>
      <dl class="facts">
        <div><dt>{t("standing")}</dt><dd>{waiting.length}</dd></div>
        <div><dt>{t("oldest")}</dt><dd>{waiting[0] ? duration((now - waiting[0].from) / 1000) : "–"}</dd></div>
        <div><dt>{t("leftIn", String(days))}</dt><dd>{dwells.length}</dd></div>
        <div><dt>{t("median")}</dt><dd>{told(dwells, 0.5)}</dd></div>
        <div><dt>p90</dt><dd>{told(dwells, 0.9)}</dd></div>
        <div><dt>p95</dt><dd>{told(dwells, 0.95)}</dd></div>
      </dl>
      <h3>{t("occupation")}</h3>
      <Occupation stays={stays} from={since.getTime()} now={now} />
      <h3>{t("dwells")}</h3>
      <Dwells seconds={dwells} />
      {waiting.length > 0 && (
        <>
          <h3>{t("standing")}</h3>
          <ul class="units">
            {waiting.map((s) => <li key={s.unit}><a href={href("unit", s.unit)}>{s.unit}</a> {duration((now - s.from) / 1000)} <small class="inline">{clock(s.from, p.id)}</small></li>)}
          </ul>
        </>
      )}
    </article>
  );
}

/** The value below which a part of an ascending list lies, between neighbours as ClickHouse's quantileExactInclusive does it. */
export function quantile(sorted: number[], part: number): number {
  if (!sorted.length) return NaN;
  const at = part * (sorted.length - 1);
  const low = Math.floor(at);
  return sorted[low]! + (at - low) * ((sorted[low + 1] ?? sorted[low]!) - sorted[low]!);
}

const told = (sorted: number[], part: number): string => (sorted.length ? duration(quantile(sorted, part)) : "–");

/** More lanes are not drawn: then only how many there were. */
const mostLanes = 40;
const laneHeight = 13;
/** So wide are labels at most, pixels: 18:00 or 03-10, a dwell time, p95. */
const [hourWide, dwellWide, levelWide] = [36, 56, 26];

/** A bar for each stay, in lanes as on tracks, over how many there were at a time. */
function Occupation(p: { stays: Stay[]; from: number; now: number }) {
  const box = useRef<HTMLDivElement>(null);
  const { width } = useBox(box);
  const x = (ms: number) => 30 + ((Math.min(Math.max(ms, p.from), p.now) - p.from) / (p.now - p.from)) * (width - 40);
  const seen = p.stays.filter((s) => s.to >= p.from);
  const until: number[] = [];
  const lane = seen.map((s) => {
    const free = until.findIndex((end) => end <= s.from);
    const at = free < 0 ? until.length : free;
    until[at] = s.open ? Infinity : s.to;
    return at;
  });
  const changes = seen.flatMap((s) => [[s.from, 1], ...(s.open ? [] : [[s.to, -1]])] as [number, number][]).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  let count = 0;
  const steps: [number, number][] = [];
  for (const [at, by] of changes) steps.push([at, (count += by)]);
  const top = Math.max(1, ...steps.map((s) => s[1]));
  const area = 90;
  const y = (n: number) => area - (n / top) * (area - 14);
  let path = `M${x(p.from)},${y(0)}`;
  let level = 0;
  for (const [at, n] of steps) {
    path += `L${x(at)},${y(level)}L${x(at)},${y(n)}`;
    level = n;
  }
  path += `L${x(p.now)},${y(level)}L${x(p.now)},${y(0)}Z`;
  const bars = until.length <= mostLanes;
  const height = area + 20 + (bars ? until.length * laneHeight + 4 : 0);
  const { step, at } = marks(p.from, p.now, width, 64);
  return (
    <div ref={box} class="chart">
      {width > 0 && (
        <svg width={width} height={height} role="img" aria-label={t("occupationOf", String(level), String(top))}>
          {at.map((ms) => (
            <g key={ms}>
              <line x1={x(ms)} x2={x(ms)} y1={0} y2={height} class="mark" />
              <text x={x(ms)} y={area + 14} text-anchor={x(ms) + hourWide / 2 > width ? "end" : "middle"}>{new Date(ms).toISOString().slice(...(step < day && ms % day ? [11, 16] : [5, 10]) as [number, number])}</text>
            </g>
          ))}
          <path d={path} class="area" />
          <text x={2} y={y(top) + 4}>{top}</text>
          <text x={2} y={y(0)}>0</text>
          {bars && seen.map((s, i) => (
            <a key={`${s.unit} ${s.from}`} href={href("unit", s.unit)}>
              <rect x={x(s.from)} width={Math.max(1.5, x(s.to) - x(s.from))} y={area + 20 + lane[i]! * laneHeight} height={laneHeight - 3} rx={2} class={s.open ? "bar open" : "bar"}>
                <title>{`${s.unit}: ${duration((s.to - s.from) / 1000)}`}</title>
              </rect>
            </a>
          ))}
        </svg>
      )}
    </div>
  );
}

/** How many stayed how long: equal steps up to the 98th percentile, what is beyond in the last. */
function Dwells(p: { seconds: number[] }) {
  const box = useRef<HTMLDivElement>(null);
  const { width } = useBox(box);
  const end = quantile(p.seconds, 0.98);
  const step = [900, 1800, 3600, 2 * 3600, 4 * 3600, 6 * 3600, 12 * 3600, 24 * 3600, 48 * 3600].find((s) => end / s <= 30) ?? 96 * 3600;
  const n = Math.max(1, Math.ceil(end / step) || 1);
  const counts = new Array<number>(n + 1).fill(0);
  for (const s of p.seconds) counts[Math.min(n, Math.floor(s / step))]!++;
  const top = Math.max(1, ...counts);
  const height = 160;
  const left = 30;
  const bar = (width - left - 10) / counts.length;
  const x = (s: number) => left + (Math.min(s, (n + 1) * step) / step) * bar;
  const every = Math.ceil(dwellWide / Math.max(bar, 1));
  return (
    <div ref={box} class="chart">
      {width > 0 && p.seconds.length > 0 && (
        <svg width={width} height={height} role="img" aria-label={t("dwellsOf", String(p.seconds.length), told(p.seconds, 0.5))}>
          {counts.map((c, i) => (
            <g key={i}>
              <rect x={left + i * bar + 1} width={Math.max(1, bar - 2)} y={height - 24 - (c / top) * (height - 50)} height={(c / top) * (height - 50)} class="bar"><title>{`${duration(i * step)} – ${i < n ? duration((i + 1) * step) : "…"}: ${c}`}</title></rect>
              {i % every === 0 && left + i * bar + dwellWide <= width && <text x={left + i * bar} y={height - 8}>{i ? duration(i * step) : "0"}</text>}
            </g>
          ))}
          {([["p50", 0.5, -3, "end"], ["p95", 0.95, 3, "start"]] as const).map(([name, part, aside, anchor]) => (
            <g key={name}>
              <line x1={x(quantile(p.seconds, part))} x2={x(quantile(p.seconds, part))} y1={12} y2={height - 24} class="level" />
              <text x={Math.min(x(quantile(p.seconds, part)) + aside, width - levelWide)} y={12} text-anchor={anchor}>{name}</text>
            </g>
          ))}
          <text x={2} y={32}>{top}</text>
        </svg>
      )}
      {!p.seconds.length && <p class="empty">{t("nothing")}</p>}
    </div>
  );
}
