import { useEffect } from "preact/hooks";
import { href } from "../route";
import type { Size } from "../box";
import { area, nearestLine, place, type Picture } from "./draw";
import type { Line } from "./lines";
import { shiftKm, zoom, zoomKm, type Window } from "./scale";

export interface Hovered {
  line: Line;
  x: number;
  y: number;
}

type Ref<T> = { readonly current: T };

/** Wheel and two fingers zoom, one drags, a click opens, keys do all of it. */
export function useGestures(box: Ref<HTMLDivElement | null>, view: Ref<{ picture: Picture; seen: Window; all: [number, number]; move: (w: Window) => void }>,
  size: Ref<Size>, hover: (h: Hovered | undefined) => void) {
  useEffect(() => {
    const el = box.current!;
    const fingers = new Map<number, { x: number; y: number }>();
    let dragged = 0;
    const at = (e: MouseEvent) => {
      const r = el.getBoundingClientRect();
      return { x: e.clientX - r.left, y: e.clientY - r.top };
    };
    const under = (x: number, y: number, most: number) => {
      const { picture, seen } = view.current;
      return nearestLine(picture.lines, seen, area(size.current), picture.now, x, y, most);
    };
    const wheel = (e: WheelEvent) => {
      e.preventDefault();
      const { seen, all, move } = view.current;
      const here = place(seen, area(size.current));
      const { x, y } = at(e);
      const by = Math.exp((e.deltaY || e.deltaX) * 0.0015);
      if (e.shiftKey) move(zoomKm(seen, here.km(y), by, all));
      else move(zoom(seen, here.t(x), by));
    };
    const down = (e: PointerEvent) => {
      fingers.set(e.pointerId, at(e));
      dragged = 0;
      el.setPointerCapture(e.pointerId);
    };
    const moved = (e: PointerEvent) => {
      const { seen, all, move } = view.current;
      const here = at(e);
      const before = fingers.get(e.pointerId);
      if (!before) {
        const line = under(here.x, here.y, 10);
        el.style.cursor = line ? "pointer" : "grab";
        hover(line && { line, ...here });
        return;
      }
      const scale = place(seen, area(size.current));
      fingers.set(e.pointerId, here);
      if (fingers.size === 2) {
        const other = [...fingers].find(([id]) => id !== e.pointerId)![1];
        const [was, is] = [Math.abs(before.x - other.x), Math.abs(here.x - other.x)];
        if (was > 10 && is > 10) move(zoom(seen, scale.t((here.x + other.x) / 2), was / is));
        dragged = Infinity;
        return;
      }
      dragged += Math.hypot(here.x - before.x, here.y - before.y);
      if (dragged < 5) return;
      const dt = scale.t(before.x) - scale.t(here.x);
      move(shiftKm({ ...seen, t0: seen.t0 + dt, t1: seen.t1 + dt }, scale.km(before.y) - scale.km(here.y), all));
    };
    const up = (e: PointerEvent) => {
      const was = fingers.delete(e.pointerId);
      if (!was || dragged >= 5 || e.type === "pointercancel") return;
      const { x, y } = at(e);
      const line = under(x, y, e.pointerType === "mouse" ? 10 : 24);
      hover(line && { line, x, y });
      if (line) location.hash = href("unit", line.unit);
    };
    const leave = () => hover(undefined);
    const key = (e: KeyboardEvent) => {
      const { seen, all, move } = view.current;
      const step = (seen.t1 - seen.t0) / 8;
      const middle = (seen.t0 + seen.t1) / 2;
      const km = (seen.k1 - seen.k0) / 8;
      if (e.key === "ArrowLeft") move({ ...seen, t0: seen.t0 - step, t1: seen.t1 - step });
      else if (e.key === "ArrowRight") move({ ...seen, t0: seen.t0 + step, t1: seen.t1 + step });
      else if (e.key === "ArrowUp") move(shiftKm(seen, -km, all));
      else if (e.key === "ArrowDown") move(shiftKm(seen, km, all));
      else if (e.key === "+" || e.key === "=") move(zoom(seen, middle, 0.8));
      else if (e.key === "-") move(zoom(seen, middle, 1.25));
      else return;
      e.preventDefault();
    };
    const none = { passive: false } as const;
    el.addEventListener("wheel", wheel, none);
    el.addEventListener("pointerdown", down);
    el.addEventListener("pointermove", moved);
    el.addEventListener("pointerup", up);
    el.addEventListener("pointercancel", up);
    el.addEventListener("pointerleave", leave);
    el.addEventListener("keydown", key);
    return () => {
      el.removeEventListener("wheel", wheel);
      el.removeEventListener("pointerdown", down);
      el.removeEventListener("pointermove", moved);
      el.removeEventListener("pointerup", up);
      el.removeEventListener("pointercancel", up);
      el.removeEventListener("pointerleave", leave);
      el.removeEventListener("keydown", key);
    };
  }, []);
}
