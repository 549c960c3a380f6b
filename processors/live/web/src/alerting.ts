import type { Border, Catalogue } from "./catalogue";
import { duration, number, text } from "./format";
import type { Live, Row } from "./stream";
import { t, type Key } from "./texts";

/** Severities, the mildest first. */
export const severities = ["info", "ticket", "page"] as const;

export const severity = (a: Row): number => severities.findIndex((s) => s === a["severity"]);

/** How loud a severity is shown. */
export const loud = (a: Row | undefined): string => (a ? ["none", "warn", "bad"][severity(a)] ?? "none" : "none");

/** Alerts that fire, the worst and then the oldest first. */
export function firing(live: Live): Row[] {
  return live.rows("alerts").filter((a) => a["firing"]).sort((a, b) => severity(b) - severity(a) || since(a) - since(b) || (a.key < b.key ? -1 : 1));
}

/** Those that have ended, the last first. */
export function resolved(live: Live): Row[] {
  return live.rows("alerts").filter((a) => !a["firing"]).sort((a, b) => text(b["resolved"]).localeCompare(text(a["resolved"])) || (a.key < b.key ? -1 : 1));
}

export const since = (a: Row): number => Date.parse(text(a["since"]));

/** For how long it fires, or did, seconds. */
export const lasted = (a: Row, now: number): number => Math.max(0, ((a["firing"] ? now : Date.parse(text(a["resolved"]))) - since(a)) / 1000);

/** For how long it has been over, seconds; the stream may be of a moment before its end. */
export const overFor = (a: Row, now: number): number => Math.max(0, (now - Date.parse(text(a["resolved"]))) / 1000);

/** The country of the side an alert is about; empty: both, or none. */
export function country(a: Row): string {
  const [from, to] = text(a["direction"]).split("-");
  return (a["role"] === "outbound" ? from : a["role"] === "inbound" ? to : "") ?? "";
}

/** A place by whose clocks the times of an alert are told. */
export function clockOf(a: Row, known: Catalogue | undefined): string {
  const b = known?.borders.get(text(a["border"]));
  const here = (b && (country(a) === b.country_b ? b.places_b : b.places_a)[0]) ?? "";
  return text(a["place"]) || here;
}

/** Whether an alert is about a border: about it or one of its sides, or about the whole area it lies in. */
export function isOf(a: Row, border: string, area: string): boolean {
  return a["border"] ? a["border"] === border : !a["place"] && !!area && a["area"] === area;
}

/** Whether it is about a side of a border, as the board has it in a row. */
export function isOfSide(a: Row, side: Row): boolean {
  const fits = (key: string, nothing = "") => a[key] === nothing || a[key] === side[key];
  return isOf(a, text(side["border"]), text(side["area"])) && fits("role") && fits("direction") && fits("unit_kind", "none");
}

export interface Wanted {
  border: string;
  corridor: string;
  severity: string; // this and severer
}

export function wanted(query: URLSearchParams): Wanted {
  return { border: query.get("border") ?? "", corridor: query.get("corridor") ?? "", severity: query.get("severity") ?? "" };
}

export function wants(w: Wanted, a: Row, borders: Map<string, Border> | undefined): boolean {
  return (!w.border || isOf(a, w.border, borders?.get(w.border)?.area ?? "")) &&
    (!w.corridor || (a["corridors"] as string[]).includes(w.corridor)) &&
    severity(a) >= severities.findIndex((s) => s === w.severity);
}

/** What an alert's value counts depends on its kind (docs/alerts.md): hours, or trains, against hours, trains or events. */
const inHours = ["overdue", "anomalous", "level_shift", "feed_silent"];
const noValue = ["train_silent"];

/** How bad it is, in words. */
export function valueOf(a: Row): string {
  const kind = text(a["kind"]);
  if (noValue.includes(kind)) return "–";
  const value = number(a["value"]);
  return t(`value_${kind}` as Key, inHours.includes(kind) ? duration(value * 3600) : count(value));
}

/** What that is held against, in words; empty: nothing. */
export function baselineOf(a: Row): string {
  const kind = text(a["kind"]);
  const basis = text(a["baseline_basis"]);
  if (basis === "none" || noValue.includes(kind)) return "";
  const value = number(a["baseline"]);
  const key = kind === "feed_silent" || kind === "nothing_moving" ? `against_${kind}` : `against_${basis}`;
  return t(key as Key, kind !== "feed_silent" && inHours.includes(kind) ? duration(value * 3600) : count(value));
}

const count = (v: number): string => String(Math.round(v * 10) / 10);
