import type { Size } from "../box";
import { grades, type Grade, type Line } from "./lines";
import { day, hour, marks, type Window } from "./scale";

/** A place on the axis, and a border between two of them. */
export interface Stop {
  id: string;
  name: string;
  km: number;
}
export interface Zone {
  name: string;
  k0: number;
  k1: number;
}
export interface Picture {
  stops: Stop[];
  zones: Zone[];
  lines: Line[];
  now: number;
  planned: boolean;
  /** The kilometre of the corridor at a point of the axis, on which close places are apart. */
  km: (at: number) => number;
}
/** The part of a canvas that a window is drawn into, pixels. */
export interface Area {
  left: number;
  right: number;
  top: number;
  bottom: number;
}
export type Colours = Record<"ground" | "sheet" | "ink" | "soft" | "line" | "accent" | "zone" | Grade, string>;

/** Room around the lines, pixels: names of places on the left, hours below. */
export const room = { left: 118, right: 14, top: 12, bottom: 34 };
const laneApart = 2.5;
const font = "12px system-ui, 'Segoe UI', Roboto, 'Noto Sans', sans-serif";

/** The area of a diagram of that size. */
export function area(s: Size): Area {
  return { left: room.left, right: s.width - room.right, top: room.top, bottom: s.height - room.bottom };
}

/** Where things lie. */
export function place(w: Window, a: Area) {
  const perMs = (a.right - a.left) / (w.t1 - w.t0);
  const perKm = (a.bottom - a.top) / (w.k1 - w.k0);
  return {
    x: (t: number) => a.left + (t - w.t0) * perMs,
    y: (km: number, lane = 0) => a.top + (km - w.k0) * perKm + lane * laneApart,
    t: (x: number) => w.t0 + (x - a.left) / perMs,
    km: (y: number) => w.k0 + (y - a.top) / perKm,
  };
}

/** From so many trains on lines are thin and dashes long: what browsers draw without a GPU is then a tenth of the work, and thick lines would hide each other. */
const many = 300;

/** Draws what moves with the lines; placeLabels() and hourLabels() what stands beside them. */
export function draw(c: CanvasRenderingContext2D, p: Picture, w: Window, a: Area, colours: Colours): void {
  const at = place(w, a);
  c.font = font;
  c.lineJoin = "round";
  c.fillStyle = colours.zone;
  for (const z of p.zones) {
    const y0 = at.y(z.k0) - 4;
    c.fillRect(a.left, y0, a.right - a.left, at.y(z.k1) + 5 - y0);
  }
  grid(c, p, w, a, colours);
  if (p.planned) plans(c, p.lines, w, a, colours);
  c.lineWidth = p.lines.length < many ? 1.6 : 1;
  // A path for each train: one of all their segments takes three times as long to fill.
  for (const grade of grades) {
    c.strokeStyle = colours[grade];
    for (const l of p.lines) {
      if (l.grade !== grade) continue;
      c.beginPath();
      trace(c, l, w, a, p.now);
      c.stroke();
    }
  }
  names(c, p, w, a, colours);
  if (p.now > w.t0 && p.now < w.t1) {
    c.strokeStyle = colours.accent;
    c.lineWidth = 1.5;
    c.beginPath();
    c.moveTo(at.x(p.now), 0);
    c.lineTo(at.x(p.now), a.bottom);
    c.stroke();
  }
}

/** How much of the segment that begins at a point is past, from 0 to 1: tables may be ahead of the time that is shown. A time of Infinity is now. */
function past(points: Float64Array, i: number, now: number): number {
  const [from, to] = [points[i]!, points[i + 3]!];
  return to <= now || to === Infinity ? 1 : Math.max(0, (now - from) / (to - from));
}

/** The path of a train until now; what lies outside of the time that is seen is left out. */
export function trace(c: CanvasRenderingContext2D, l: Line, w: Window, a: Area, now: number): void {
  if (l.from > w.t1 || Math.min(l.to, now) < w.t0) return;
  const at = place(w, a);
  let drawing = false;
  for (let i = 0; i + 5 < l.points.length; i += 3) {
    const from = l.points[i]!;
    if (from > now) return;
    const to = Math.min(l.points[i + 3]!, now);
    if (to < w.t0 || from > w.t1) {
      drawing = false;
      continue;
    }
    const y = at.y(l.points[i + 1]!, l.points[i + 2]!);
    if (!drawing) c.moveTo(at.x(from), y);
    c.lineTo(at.x(to), y + (at.y(l.points[i + 4]!, l.points[i + 5]!) - y) * past(l.points, i, now));
    drawing = true;
  }
}

/** Dashes cost by their length: segments are cut at the edges. */
function plans(c: CanvasRenderingContext2D, lines: Line[], w: Window, a: Area, colours: Colours): void {
  c.save();
  c.globalAlpha = 0.55;
  c.strokeStyle = colours.soft;
  c.lineWidth = 1;
  c.setLineDash(lines.length < many ? [4, 4] : [10, 6]);
  for (const l of lines) {
    c.beginPath();
    tracePlan(c, l, w, a);
    c.stroke();
  }
  c.restore();
}

export function tracePlan(c: CanvasRenderingContext2D, l: Line, w: Window, a: Area): void {
  const at = place(w, a);
  const p = l.plan;
  for (let i = 0; i + 3 < p.length; i += 2) {
    const [t0, k0, t1, k1] = [p[i]!, p[i + 1]!, p[i + 2]!, p[i + 3]!];
    if (t1 < w.t0 || t0 > w.t1 || t1 < t0) continue;
    const slope = t1 > t0 ? (k1 - k0) / (t1 - t0) : 0;
    const from = Math.max(t0, w.t0);
    const to = Math.min(t1, w.t1);
    c.moveTo(at.x(from), at.y(k0 + (from - t0) * slope));
    c.lineTo(at.x(to), at.y(k0 + (to - t0) * slope));
  }
}

/** Marks of the hours lie so far apart at least, pixels. */
const apartMarks = 64;

function grid(c: CanvasRenderingContext2D, p: Picture, w: Window, a: Area, colours: Colours): void {
  const at = place(w, a);
  c.strokeStyle = colours.line;
  c.lineWidth = 1;
  c.beginPath();
  for (const stop of p.stops) {
    const y = Math.round(at.y(stop.km)) + 0.5;
    c.moveTo(a.left, y);
    c.lineTo(a.right, y);
  }
  for (const t of marks(w.t0, w.t1, a.right - a.left, apartMarks).at) {
    const x = Math.round(at.x(t)) + 0.5;
    c.moveTo(x, 0);
    c.lineTo(x, a.bottom);
  }
  c.stroke();
}

/** The numbers of trains at the ends of their lines, where there is room; with many lines only of those that go on. */
function names(c: CanvasRenderingContext2D, p: Picture, w: Window, a: Area, colours: Colours): void {
  const at = place(w, a);
  const taken: [number, number, number][] = [];
  const few = p.lines.filter((l) => l.from < w.t1 && Math.min(l.to, p.now) > w.t0).length < 25;
  c.textBaseline = "middle";
  for (const l of p.lines) {
    const goesOn = l.to > Math.min(p.now, w.t1) - 2 * hour;
    if (!goesOn && !few) continue;
    let x = NaN;
    let y = NaN;
    for (let i = l.points.length - 3; i >= 0 && !(x <= a.right); i -= 3) {
      x = at.x(Math.min(l.points[i]!, p.now));
      y = at.y(l.points[i + 1]!, l.points[i + 2]!);
      if (l.points[i]! <= p.now) continue;
      if (i < 3 || l.points[i - 3]! > p.now) {
        x = NaN;
        continue;
      }
      const before = at.y(l.points[i - 2]!, l.points[i - 1]!);
      y = before + (y - before) * past(l.points, i - 3, p.now);
    }
    if (!(x > a.left + 30) || y < 0 || y > a.bottom) continue;
    y = Math.min(y, a.bottom - 7);
    const text = short(l.unit);
    const width = text.length * 6.5;
    const left = Math.min(x + 4, a.right - width);
    if (taken.some(([tx, ty, tw]) => Math.abs(ty - y) < 13 && left < tx + tw && tx < left + width)) continue;
    taken.push([left, y, width]);
    c.fillStyle = colours.sheet;
    c.globalAlpha = 0.75;
    c.fillRect(left - 1, y - 7, width + 2, 14);
    c.globalAlpha = 1;
    c.fillStyle = l.grade === "none" ? colours.ink : colours[l.grade];
    c.fillText(text, left, y);
  }
}

/** The number of a run without operator and date. */
export function short(unit: string): string {
  return unit.split(":")[1] ?? unit;
}

/** Names of places beside the lines. */
export function placeLabels(c: CanvasRenderingContext2D, p: Picture, w: Window, a: Area, colours: Colours): void {
  const at = place(w, a);
  const bottom = a.bottom;
  c.font = font;
  c.textBaseline = "middle";
  c.fillStyle = colours.ink;
  let last = -Infinity;
  for (const stop of p.stops) {
    const line = at.y(stop.km);
    if (line < a.top - 6 || line > bottom + 6) continue;
    const y = Math.max(line, last + 13);
    if (y - line > 14) continue; // no room: zooming in makes some
    last = y;
    c.fillText(fit(c, stop.name), 6, y);
  }
}

/** Hours and days below the lines. */
export function hourLabels(c: CanvasRenderingContext2D, w: Window, a: Area, colours: Colours): void {
  const at = place(w, a);
  const bottom = a.bottom;
  c.font = font;
  const { step, at: times } = marks(w.t0, w.t1, a.right - a.left, apartMarks);
  for (const t of times) {
    const text = new Date(t).toISOString();
    const x = at.x(t);
    if (x < a.left || x > a.right) continue;
    const midnight = t % day === 0;
    c.textAlign = "center";
    if (step < day) {
      c.fillStyle = colours.soft;
      c.fillText(text.slice(11, 16), x, bottom + 14);
    }
    if (midnight) {
      c.fillStyle = colours.ink;
      c.fillText(text.slice(5, 10), x, bottom + (step < day ? 28 : 14));
    }
  }
  c.textAlign = "left";
}

function fit(c: CanvasRenderingContext2D, name: string): string {
  const most = room.left - 12;
  if (c.measureText(name).width <= most) return name;
  let cut = name;
  while (cut && c.measureText(cut + "…").width > most) cut = cut.slice(0, -1);
  return cut + "…";
}

/** The train whose line lies the nearest to a point of the screen, not farther than so many pixels. */
export function nearestLine(lines: Line[], w: Window, a: Area, now: number, x: number, y: number, most: number): Line | undefined {
  const at = place(w, a);
  let best: Line | undefined;
  let least = most;
  for (const l of lines) {
    if (l.from > w.t1 || Math.min(l.to, now) < w.t0) continue;
    for (let i = 0; i + 5 < l.points.length; i += 3) {
      if (l.points[i]! > now) break;
      const x0 = at.x(l.points[i]!);
      const x1 = at.x(Math.min(l.points[i + 3]!, now));
      if (x1 < x - least || x0 > x + least) continue;
      const y0 = at.y(l.points[i + 1]!, l.points[i + 2]!);
      const d = apart(x, y, x0, y0, x1, y0 + (at.y(l.points[i + 4]!, l.points[i + 5]!) - y0) * past(l.points, i, now));
      if (d < least) [least, best] = [d, l];
    }
  }
  return best;
}

/** How far a point is from a segment. */
function apart(x: number, y: number, x0: number, y0: number, x1: number, y1: number): number {
  const [dx, dy] = [x1 - x0, y1 - y0];
  const part = dx || dy ? Math.min(1, Math.max(0, ((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy))) : 0;
  return Math.hypot(x - x0 - part * dx, y - y0 - part * dy);
}

const found = new Map<string, Colours>();

/** What colours there are now, as the style sheet says. */
export function colours(): Colours {
  const key = `${document.documentElement.dataset["theme"]} ${matchMedia("(prefers-color-scheme: dark)").matches}`;
  let out = found.get(key);
  if (out) return out;
  const probe = document.body.appendChild(document.createElement("i"));
  const value = (name: string) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  out = {
    ground: value("ground"), sheet: value("sheet"), ink: value("ink"), soft: value("soft"), line: value("line"), accent: value("accent"),
    zone: value("zone"), none: value("soft"), good: value("good"), warn: value("warn"), bad: value("bad"),
  };
  probe.remove();
  found.set(key, out);
  return out;
}
