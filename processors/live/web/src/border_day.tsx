import type { Border } from "./catalogue";
import { clockIn, duration, minute, number, text } from "./format";
import type { Live, Row } from "./stream";
import { t, type Key } from "./texts";

/** The railway days of each side by the key of its row on the board, the last first. */
export function days(live: Live): Map<string, Row[]> {
  const out = new Map<string, Row[]>();
  for (const r of live.rows("border_days")) {
    const side = r.key.slice(0, r.key.lastIndexOf("|"));
    out.set(side, [...(out.get(side) ?? []), r]);
  }
  for (const rows of out.values()) rows.sort((a, b) => (text(a["railway_day"]) < text(b["railway_day"]) ? 1 : -1));
  return out;
}

/** Of when the figures of days are: they take long to work out, and are asked for seldom. */
export function asOf(byDay: Map<string, Row[]>): string {
  const rows = [...byDay.values()].flat();
  return rows.length ? t("asOf", minute(Math.max(...rows.map((r) => Date.parse(text(r["as_of"]))))).slice(5)) : "";
}

/** Trains that are held on their way to the border; they stand before the side that is left. */
export function Upstream(p: { days: Row[]; side: Row }) {
  return <>{p.side["role"] === "outbound" && p.days[0] ? number(p.days[0]["held_upstream"]) : ""}</>;
}

/** When those on the side will be gone if they leave as fast as in the last 24 hours. */
export function TimeToClear(p: { side: Row }) {
  const [waiting, left] = [number(p.side["waiting"]), number(p.side["released_24h"])];
  if (!waiting) return <>–</>;
  return left ? <>{duration((waiting / left) * 86_400)}</> : <span title={t("noneLeft")}>∞</span>;
}

const came = (d: Row): number => number(d["arrived"]) + number(d["formed"]);
const went = (d: Row): number => number(d["departed"]) + number(d["ended"]);

/** What came and went on the railway day that goes on, hand-overs, and what went on the days before. */
export function Day(p: { days: Row[]; side: Row }) {
  const today = p.days[0];
  if (!today) return <>–</>;
  const said = p.side["role"] === "outbound" ? [["offered", "offeredTimes"]] : [["accepted", "acceptedTimes"], ["refused", "refusedOf"]];
  const about = t("dayIs", text(today["railway_day"]), ...["arrived", "formed", "departed", "ended"].map((k) => String(number(today[k]))));
  return (
    <>
      <span title={about}><Bars days={p.days} /> {`+${came(today)} −${went(today)}`}</span>
      <small>{said.filter(([k]) => number(today[k!])).map(([k, key]) => t(key as Key, String(number(today[k!])))).join(", ")}</small>
    </>
  );
}

const [wide, high] = [6, 18];

/** How many left on each of the days, as bars; the last is not over. */
function Bars(p: { days: Row[] }) {
  const values = p.days.map(went).reverse();
  const most = Math.max(1, ...values);
  return (
    <svg class="bars" width={values.length * wide} height={high} role="img" aria-label={t("leftByDay", values.join(", "))}>
      {values.map((v, i) => {
        const h = Math.max(1, Math.round((v / most) * high));
        return <rect key={i} x={i * wide} y={high - h} width={wide - 2} height={h} class={i === values.length - 1 ? "open" : ""} />;
      })}
    </svg>
  );
}

/** What went of the exchange that was agreed for the day, and by how much the day before fell short. */
export function Agreed(p: { days: Row[]; side: Row }) {
  if (p.side["role"] !== "outbound") return null;
  const [today, before] = p.days;
  const planned = number(today?.["planned"]);
  const short = number(before?.["shortfall"]);
  return (
    <>
      {Number.isNaN(planned) ? <span title={t("noPlanOfDay")}>–</span> : t("ofAgreed", String(number(today!["departed"])), String(planned))}
      {!Number.isNaN(short) && (
        <small class={short > 0 ? "bad" : ""}>{t(short > 0 ? "shortOf" : "metOn", text(before!["railway_day"]).slice(5), String(short))}</small>
      )}
    </>
  );
}

/** Closures, bans and limits in force for the way of a side. */
export function Restrictions(p: { live: Live; side: Row; border: Border | undefined }) {
  const subjects = new Set([text(p.side["border"]), text(p.side["area"]), ...(p.border?.places_a ?? []), ...(p.border?.places_b ?? [])].filter((s) => s));
  const all = p.live.rows("restrictions").filter((r) => subjects.has(text(r["subject"])) && [text(p.side["direction"]), ""].includes(text(r["direction"]).replace(">", "-")));
  return (
    <>
      {all.map((r) => {
        const limit = number(r["limit_per_day"]);
        const why = [text(r["applies_to"]), text(r["reason"]), text(r["reference"]), t("inForceSince", clockIn(Date.parse(text(r["from_time"])), ""))];
        return <span key={r.key} class="limit" title={why.filter((x) => x).join(", ")}>{Number.isNaN(limit) ? t(`effect_${text(r["effect"])}` as Key) : t("limitOf", String(limit))}</span>;
      })}
    </>
  );
}

/** Why a side has no norm. */
export function whyNoNorm(side: Row, border: Border | undefined): string {
  const kind = text(side["unit_kind"]);
  const parts = !!border?.gauge_break && kind === "train";
  return t(parts || number(side["begun_here"]) > 0 ? "noNormPart" : "noNormKnown");
}
