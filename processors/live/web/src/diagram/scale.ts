export const hour = 3_600_000;
export const day = 24 * hour;

/** The part of the diagram that is seen: times in ms, kilometres. */
export interface Window {
  t0: number;
  t1: number;
  k0: number;
  k1: number;
}

/** The nearest and the farthest one can look. */
export const nearest = 6 * hour;
export const farthest = 14 * day;

/** Zooms in time around the given one. */
export function zoom(w: Window, around: number, by: number): Window {
  const span = Math.min(farthest, Math.max(nearest, (w.t1 - w.t0) * by));
  const part = (around - w.t0) / (w.t1 - w.t0);
  return { ...w, t0: around - part * span, t1: around + (1 - part) * span };
}

/** Zooms along the corridor, from 20 km to all of it. */
export function zoomKm(w: Window, around: number, by: number, all: [number, number]): Window {
  const span = Math.min(all[1] - all[0], Math.max(20, (w.k1 - w.k0) * by));
  const part = (around - w.k0) / (w.k1 - w.k0);
  return shiftKm({ ...w, k0: around - part * span, k1: around - part * span + span }, 0, all);
}

/** Moves along the corridor, not beyond its ends. */
export function shiftKm(w: Window, by: number, all: [number, number]): Window {
  const span = w.k1 - w.k0;
  const k0 = Math.min(Math.max(w.k0 + by, all[0]), all[1] - span);
  return { ...w, k0, k1: k0 + span };
}

const steps = [hour, 2 * hour, 3 * hour, 6 * hour, 12 * hour, day, 2 * day, 7 * day];

/** Times at which the axis has marks, at least so many pixels apart. */
export function marks(t0: number, t1: number, width: number, apart: number): { step: number; at: number[] } {
  const step = steps.find((s) => (s / (t1 - t0)) * width >= apart) ?? 14 * day;
  const at: number[] = [];
  for (let t = Math.ceil(t0 / step) * step; t <= t1; t += step) at.push(t);
  return { step, at };
}
