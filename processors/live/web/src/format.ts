/** A duration in seconds as a dispatcher says it: 45 min, 7 h 05, 3 d 4 h. */
export function duration(seconds: number): string {
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

/** Date and minute, UTC. */
export function minute(ms: number): string {
  return Number.isNaN(ms) ? "…" : new Date(ms).toISOString().slice(0, 16).replace("T", " ");
}

export const number = (v: unknown): number => (typeof v === "number" ? v : NaN);
export const text = (v: unknown): string => (typeof v === "string" ? v : "");
