import type { ComponentChildren } from "preact";
import { useRows } from "./api";
import { useCatalogue, type Catalogue } from "./catalogue";
import { clocks, duration, number, silence, text } from "./format";
import { href, set } from "./route";
import type { Live, Row } from "./stream";
import { t, type Key } from "./texts";

interface Activity {
  kind: string;
  cause: string;
  party: string;
  from: string;
  to: string | null;
}

const most = 5000;
const refresh = 10_000;

/** A train, vessel, wagon or container: what it went through, planned and actual. */
export function Unit(p: { live: Live; id: string; query: URLSearchParams }) {
  const known = useCatalogue();
  const status = p.live.views.get("trains")?.get(p.id);
  const visits = useRows<Row>("visits", { unit: p.id, limit: most }, refresh);
  const legs = useRows<Row>("legs", { unit: p.id, limit: most }, refresh);
  const sides = useRows<Row>("crossing_sides", { unit: p.id, limit: most }, refresh);
  const gone = useRows<Row>(status ? "" : "train_status", { run: p.id });
  const now = p.live.now();
  const error = visits.error || legs.error || sides.error;
  if (error && !visits.rows) return <p class="empty bad" role="alert">{error}</p>;
  if (!visits.rows || !legs.rows || !sides.rows) return <p class="empty">{t("loading")}</p>;
  const row = status ?? gone.rows?.[0];
  if (!visits.rows.length && !row) return <p class="empty">{t("unknownUnit", p.id)}</p>;
  const journeys = [...new Set(visits.rows.map((v) => text(v["journey"])))].sort((a, b) => last(visits.rows!, b) - last(visits.rows!, a));
  const journey = journeys.find((j) => j === p.query.get("journey")) ?? journeys[0] ?? "";
  const of = (rows: Row[]) => rows.filter((r) => r["journey"] === journey).sort((a, b) => came(a) - came(b) || went(a) - went(b));
  const kind = text(visits.rows[0]?.["unit_kind"]) || text(row?.["unit_kind"]);
  return (
    <article id="table" tabIndex={-1} class="unit">
      <h2>{p.id} <small>{t(`one_${kind}` as Key)}</small></h2>
      <Now row={row} visits={of(visits.rows)} now={now} known={known} />
      {journeys.length > 1 && (
        <label class="pick">
          {t("journey")}
          <select value={journey} onChange={(e) => set({ journey: e.currentTarget.value })}>{journeys.map((j) => <option key={j}>{j}</option>)}</select>
        </label>
      )}
      <Sides rows={of(sides.rows)} now={now} known={known} />
      <Journey visits={of(visits.rows)} legs={of(legs.rows)} now={now} known={known} />
      {(kind === "train" || kind === "vessel") && <Load run={p.id} />}
      <p class="links">
        {text(row?.["direction_by"]) && <a href={href("corridor", text(row?.["direction_by"]), { q: p.id })}>{t("inDiagram")}</a>}
        {row && <a href={href("map", "", { unit: p.id })}>{t("onMap")}</a>}
        {["visits", "legs", "crossing_sides", "positions", "events"].map((v) => (
          <a key={v} href={`/api/v1/${v}?unit=${encodeURIComponent(p.id)}&format=csv&limit=100000`} download>{`${v}.csv`}</a>
        ))}
      </p>
    </article>
  );
}

const ms = (v: unknown): number => (typeof v === "string" ? Date.parse(v) : NaN);
const first = (...times: unknown[]): number => times.map(ms).find((v) => !Number.isNaN(v)) ?? NaN;
const came = (r: Row): number => first(r["arrived"], r["entered"], r["started_at"], r["departed"], r["left"]) || 0;
const went = (r: Row): number => first(r["departed"], r["left"], r["arrived_at"]) || Infinity;
const last = (rows: Row[], journey: string): number => Math.max(...rows.filter((r) => r["journey"] === journey).map(came));

function Now(p: { row: Row | undefined; visits: Row[]; now: number; known: Catalogue | undefined }) {
  const here: Record<string, unknown> = p.row ?? {};
  const open = p.visits.find((v) => v["state"] === "open" || v["state"] === "silent");
  const place = text(here["place"]) || text(open?.["place"]);
  const name = text(here["place_name"]) || text(open?.["place_name"]);
  const since = first(here["since"], open?.["arrived"], open?.["entered"]);
  const delays = p.visits.map((v) => number(v["departure_delay_s"] ?? v["arrival_delay_s"])).filter((d) => !Number.isNaN(d));
  const facts: [Key, ComponentChildren][] = [["state", text(here["state"]) || text(open?.["state"]) || text(p.visits.at(-1)?.["state"])]];
  if (place) facts.push(["where", <a href={href("place", place)}>{t("at", name)}</a>]);
  else if (text(here["last_place"])) facts.push(["where", <a href={href("place", text(here["last_place"]))}>{t("behind", text(here["last_place_name"]))}</a>]);
  if (here["state"] !== "closed" && since <= p.now) facts.push(["since", duration((p.now - since) / 1000)]);
  if (delays.length) facts.push(["late", <Delay seconds={delays.at(-1)!} />]);
  if (!Number.isNaN(silence(here["seen_at"], p.now))) facts.push(["seen", t("ago", duration(silence(here["seen_at"], p.now)))]);
  if (text(here["destination"])) facts.push(["destination", <a href={href("place", text(here["destination"]))}>{p.known?.places.get(text(here["destination"]))?.name ?? text(here["destination"])}</a>]);
  if (text(here["corridor"])) facts.push(["corridor", <a href={href("corridor", text(here["corridor"]))}>{p.known?.corridors.get(text(here["corridor"]))?.name ?? text(here["corridor"])}</a>]);
  return <dl class="facts">{facts.map(([key, value]) => <div key={key}><dt>{t(key)}</dt><dd>{value}</dd></div>)}</dl>;
}

/** A delay with its colour and its sign; nothing where there is none. */
export function Delay(p: { seconds: number }) {
  if (Number.isNaN(p.seconds)) return null;
  const bad = p.seconds > 6 * 3600 ? "bad" : p.seconds > 1800 ? "warn" : "good";
  return <span class={`delay ${bad}`}>{`${p.seconds > 0 ? "+" : ""}${duration(p.seconds)}`}</span>;
}

function Sides(p: { rows: Row[]; now: number; known: Catalogue | undefined }) {
  const clock = clocks(p.known);
  if (!p.rows.length) return null;
  return (
    <section>
      <h3>{t("crossings")}</h3>
      <table class="stack">
        <thead>
          <tr>
            <th scope="col">{t("border")}</th><th scope="col">{t("side")}</th><th scope="col">{t("came")}</th><th scope="col">{t("went")}</th>
            <th scope="col" class="n">{t("took")}</th><th scope="col" class="n">{t("againstNorm")}</th><th scope="col">{t("causes")}</th>
          </tr>
        </thead>
        <tbody>
          {p.rows.map((r) => {
            const seconds = number(r["side_s"] ?? r["running_s"]);
            const norm = number(r["norm_s"]);
            const place = (r["places"] as string[])[0] ?? "";
            return (
              <tr key={`${r["border"]} ${r["n"]} ${r["role"]}`}>
                <th scope="row">{text(r["border_name"])}<small>{text(r["direction"])}{r["candidate"] ? `, ${t("notSure")}` : ""}</small></th>
                <td data-l={t("side")}>{t(r["role"] as Key, text(r["country"]))}<small>{(r["places"] as string[]).map((id) => p.known?.places.get(id)?.name ?? id).join(", ")}</small></td>
                <td class="when" data-l={t("came")}>{clock(first(r["entered"], r["arrived"]), place)}</td>
                <td class="when" data-l={t("went")}>{r["state"] === "closed" ? clock(first(r["left"], r["departed"]), place) : text(r["state"])}</td>
                <td class="n" data-l={t("took")}>{Number.isNaN(seconds) ? "–" : duration(seconds)}</td>
                <td class="n" data-l={t("againstNorm")}>{Number.isNaN(norm) || Number.isNaN(seconds) ? t("noNorm") : <Delay seconds={seconds - norm} />}<small>{Number.isNaN(norm) ? "" : `${t("norm")} ${duration(norm)}`}</small></td>
                <td data-l={t("causes")}>{causes(r)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}

/** What the time on a side went to, the longest first. */
function causes(r: Row): string {
  const list = (r["causes"] as { cause: string; seconds: number }[]).map((c) => [word(c.cause), c.seconds] as const);
  const unexplained = number(r["unexplained_s"]);
  if (unexplained > 0 && r["state"] === "closed") list.push([t("unexplained"), unexplained]);
  return list.sort((a, b) => b[1] - a[1]).map(([cause, s]) => `${cause} ${duration(s)}`).join(", ");
}

/** A code as a word. */
export const word = (code: string): string => code.replaceAll("_", " ");

function Journey(p: { visits: Row[]; legs: Row[]; now: number; known: Catalogue | undefined }) {
  const clock = clocks(p.known);
  const rows = [...p.visits.map((row) => ({ row, leg: false })), ...p.legs.map((row) => ({ row, leg: true }))].sort((a, b) => at(a.row, a.leg) - at(b.row, b.leg) || Number(a.leg) - Number(b.leg));
  return (
    <section>
      <h3>{t("journey")}</h3>
      <table class="stack">
        <thead>
          <tr>
            <th scope="col">{t("place")}</th><th scope="col">{t("arrived")}</th><th scope="col">{t("departed")}</th><th scope="col" class="n">{t("took")}</th>
            <th scope="col">{t("vehicle")}</th><th scope="col">{t("done")}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ row, leg }, i) => (leg ? <Leg key={i} row={row} /> : <Visit key={i} row={row} now={p.now} clock={clock} />))}
        </tbody>
      </table>
    </section>
  );
}

/** Legs stand between the visits at their ends. */
const at = (r: Row, leg: boolean): number => (leg ? first(r["departed_at"], r["started_at"]) : came(r)) || 0;

function Leg(p: { row: Row }) {
  const r = p.row;
  const seconds = (ms(r["arrived_at"]) - first(r["departed_at"], r["started_at"])) / 1000;
  const speed = number(r["swod_kmh"]);
  return (
    <tr class="leg">
      <td colSpan={3}>{[Number.isNaN(number(r["km"])) ? "" : `${Math.round(number(r["km"]))} km`, text(r["mode"]), Number.isNaN(speed) ? "" : `${Math.round(speed)} km/h`].filter((x) => x).join(", ")}</td>
      <td class="n">{Number.isNaN(seconds) ? "" : duration(seconds)}</td>
      <td><Vehicle run={text(r["vehicle"])} of={text(r["unit"])} /></td>
      <td />
    </tr>
  );
}

function Visit(p: { row: Row; now: number; clock: (ms: number, place: string) => string }) {
  const r = p.row;
  const place = text(r["place"]);
  const arrived = first(r["arrived"], r["entered"]);
  const departed = first(r["departed"], r["left"]);
  const open = r["state"] === "open" || r["state"] === "silent";
  const seconds = open ? (p.now - arrived) / 1000 : number(r["dwell_s"]);
  const activities = r["activities"] as Activity[];
  return (
    <tr>
      <th scope="row"><a href={href("place", place)}>{text(r["place_name"])}</a><small>{text(r["country"])}</small></th>
      <td data-l={t("arrived")}>{p.clock(arrived, place)} <Delay seconds={number(r["arrival_delay_s"])} /><Planned at={ms(r["planned_arrival"])} place={place} clock={p.clock} basis={r["arrived_basis"] ?? r["entered_basis"]} /></td>
      <td data-l={t("departed")}>{open ? text(r["state"]) : p.clock(departed, place)} <Delay seconds={number(r["departure_delay_s"])} /><Planned at={ms(r["planned_departure"])} place={place} clock={p.clock} basis={open ? "" : r["departed_basis"] ?? r["left_basis"]} /></td>
      <td class="n" data-l={t("took")}>{r["stopped"] ? (Number.isNaN(seconds) ? "–" : duration(seconds)) : t("passed")}</td>
      <td data-l={t("vehicle")}><Vehicle run={text(r["vehicle_in"])} of={text(r["unit"])} />{text(r["vehicle_out"]) && text(r["vehicle_out"]) !== text(r["vehicle_in"]) ? <> → <Vehicle run={text(r["vehicle_out"])} of={text(r["unit"])} /></> : null}</td>
      <td data-l={t("done")}>
        {activities.map((a, i) => (
          <div key={i}>{word(a.kind)}{a.cause ? `: ${word(a.cause)}` : ""}{a.party ? ` (${a.party})` : ""} <small class="inline">{duration(((a.to ? ms(a.to) : p.now) - ms(a.from)) / 1000)}</small></div>
        ))}
        {number(r["refused"]) > 0 && <div class="delay bad">{t("refusedTimes", String(r["refused"]))}</div>}
        {activities.length > 0 && number(r["unexplained_s"]) > 0 && <small>{`${t("unexplained")} ${duration(number(r["unexplained_s"]))}`}</small>}
      </td>
    </tr>
  );
}

function Planned(p: { at: number; place: string; clock: (ms: number, place: string) => string; basis: unknown }) {
  const basis = text(p.basis) && text(p.basis) !== "none" ? text(p.basis) : "";
  return <small>{[Number.isNaN(p.at) ? "" : t("plannedAt", p.clock(p.at, p.place)), basis].filter((x) => x).join(", ")}</small>;
}

function Vehicle(p: { run: string; of: string }) {
  return p.run && p.run !== p.of ? <a href={href("unit", p.run)}>{p.run}</a> : null;
}

/** The containers a train or vessel carried on from somewhere. */
function Load(p: { run: string }) {
  const { rows } = useRows<Row>("visits", { vehicle_out: p.run, unit_kind: "container", columns: "unit", order: "unit", limit: most });
  const units = [...new Set((rows ?? []).map((r) => text(r["unit"])))];
  if (!units.length) return null;
  return (
    <details>
      <summary>{t("containersOn", String(units.length))}</summary>
      <ul class="units">{units.map((u) => <li key={u}><a href={href("unit", u)}>{u}</a></li>)}</ul>
    </details>
  );
}
