import type { Catalogue } from "./catalogue";

/** A duration in seconds as a dispatcher says it: 45 min, 7 h 05, 3 d 4 h; it is not broken over lines. */
export function duration(seconds: number): string {
  return inWords(seconds).replaceAll(" ", "\u00a0");
}

function inWords(seconds: number): string {
  if (Number.isNaN(seconds)) return "–";
  const sign = seconds < 0 ? "−" : "";
  const minutes = Math.round(Math.abs(seconds) / 60);
  if (Math.abs(seconds) < 60) return `${sign}${Math.round(Math.abs(seconds))} s`;
  if (minutes < 60) return `${sign}${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${sign}${hours} h ${String(minutes % 60).padStart(2, "0")}`;
  return `${sign}${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** Seconds from a time of the API until now, both UTC; NaN if it is not known, or not to come yet by the stage time shown. */
export function age(time: unknown, now: number): number {
  const seconds = typeof time === "string" ? (now - Date.parse(time)) / 1000 : NaN;
  return seconds > -60 ? Math.max(0, seconds) : NaN;
}

/** Seconds since something was last heard of; 0 where tables are ahead of the stage time shown, NaN if nothing was heard. */
export function silence(time: unknown, now: number): number {
  return typeof time === "string" ? Math.max(0, (now - Date.parse(time)) / 1000) : NaN;
}

/** Date and minute, UTC. */
export function minute(ms: number): string {
  return Number.isNaN(ms) ? "…" : new Date(ms).toISOString().slice(0, 16).replace("T", " ");
}

export const number = (v: unknown): number => (typeof v === "number" ? v : NaN);
export const text = (v: unknown): string => (typeof v === "string" ? v : "");

/** Whether times are told by the clocks of the place, else UTC. */
export function localClocks(): boolean {
  return localStorage.getItem("clocks") === "place";
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Month, day and minute in a zone, and its offset where that is not UTC. */
export function clockIn(ms: number, zone: string): string {
  if (Number.isNaN(ms) || !Number.isFinite(ms)) return "–";
  if (!zone) return minute(ms).slice(5);
  let f = formats.get(zone);
  if (!f) {
    f = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", timeZoneName: "shortOffset" });
    formats.set(zone, f);
  }
  const parts = new Map(f.formatToParts(ms).map((p) => [p.type, p.value]));
  return `${parts.get("month")}-${parts.get("day")} ${parts.get("hour")}:${parts.get("minute")} ${(parts.get("timeZoneName") ?? "").replace(/^(GMT|UTC)/, "") || "UTC"}`;
}

/** How the times of a place are told: by its clocks if people want that. */
export function clocks(known: Catalogue | undefined): (ms: number, place: string) => string {
  const local = localClocks();
  return (ms, place) => clockIn(ms, local ? known?.places.get(place)?.zone ?? "" : "");
}
