import { kmOf, type Corridor, type Place } from "../catalogue";
import type { Row } from "../stream";

/** A row of the API's lines: see processors/live/queries/lines.sql. */
export interface Told {
  unit: string;
  unit_kind: string;
  delay_s: number | null;
  visits: [place: string, came: number, went: number | null, stopped: boolean, open: boolean, plannedArrival: number | null, plannedDeparture: number | null][];
  plan: [place: string, arrival: number | null, departure: number | null][];
}

export const grades = ["none", "good", "warn", "bad"] as const;
export type Grade = (typeof grades)[number];

/** A train as it is drawn. Points are time (ms), km and lane, one behind the other; a time of Infinity is now. */
export interface Line {
  unit: string;
  grade: Grade;
  delay: number; // seconds; NaN: no plan
  from: number;
  to: number; // first and last time; Infinity: it is still there
  points: Float64Array;
  plan: Float64Array; // time, km
}

/** How late a train may be before it counts as late, and as very late, seconds. */
const late = 30 * 60;
const veryLate = 6 * 3600;

export function gradeOf(delay: number): Grade {
  return Number.isNaN(delay) ? "none" : delay <= late ? "good" : delay <= veryLate ? "warn" : "bad";
}

/** Trains that stand at a place at the same time lie in lanes beside each other, so that a queue is seen as one; so many of them. */
export const lanes = 8;

export function lines(told: Told[], corridor: Corridor, places: Map<string, Place>, trains: Map<string, Row>): Line[] {
  const kmAt = new Map(corridor.places.map((id, i) => [id, corridor.km[i]!]));
  const free = new Map<string, number[]>(); // by place: until when each lane is taken
  const visits = told.flatMap((row) => row.visits.map((visit) => ({ row, visit }))).sort((a, b) => a.visit[1] - b.visit[1] || (a.row.unit < b.row.unit ? -1 : 1));
  const lane = new Map<Told["visits"][number], number>();
  for (const { visit } of visits) {
    const [place, came, went, stopped, open] = visit;
    if (!stopped) continue;
    let taken = free.get(place);
    if (!taken) free.set(place, (taken = []));
    let at = taken.findIndex((until) => until <= came);
    if (at < 0) at = taken.length;
    taken[at] = open ? Infinity : went ?? came;
    lane.set(visit, at % lanes);
  }
  return told.map((row) => {
    const points: number[] = [];
    for (const v of row.visits) {
      const km = kmAt.get(v[0])!;
      points.push(v[1], km, lane.get(v) ?? 0);
      if (v[4]) points.push(Infinity, km, lane.get(v) ?? 0);
      else if (v[2] !== null && v[2] > v[1]) points.push(v[2], km, lane.get(v) ?? 0);
    }
    const last = row.visits.at(-1);
    const status = trains.get(row.unit);
    if (last && !last[4] && status && status["state"] !== "closed") points.push(...head(status, last[2] ?? last[1], corridor, places));
    const delay = row.delay_s ?? NaN;
    return {
      unit: row.unit, grade: gradeOf(delay), delay, from: points[0] ?? NaN, to: points.at(-3) ?? NaN,
      points: Float64Array.from(points), plan: Float64Array.from(planned(row, kmAt)),
    };
  });
}

/** Where a train under way was last seen. */
function head(status: Row, after: number, corridor: Corridor, places: Map<string, Place>): number[] {
  const seen = Date.parse(String(status["seen_at"]));
  const { lat, lon } = status as { lat?: unknown; lon?: unknown };
  if (!(seen > after) || typeof lat !== "number" || typeof lon !== "number") return [];
  const km = kmOf(corridor, places, lat, lon);
  return Number.isNaN(km) ? [] : [seen, km, 0];
}

/** Points of the plan; where none was sent whole, what was planned for the places it was at. */
function planned(row: Told, kmAt: Map<string, number>): number[] {
  const stops = row.plan.length ? row.plan : row.visits.map((v) => [v[0], v[5], v[6]] as const);
  const out: number[] = [];
  for (const [place, arrival, departure] of stops) {
    const km = kmAt.get(place);
    if (km === undefined) continue;
    if (arrival !== null) out.push(arrival, km);
    if (departure !== null && departure !== arrival) out.push(departure, km);
  }
  return out;
}
