import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useBox, type Size } from "../box";
import { duration, minute } from "../format";
import { t } from "../texts";
import { area, colours, draw, hourLabels, place, placeLabels, room, trace, tracePlan, type Colours, type Picture } from "./draw";
import { useGestures, type Hovered } from "./gestures";
import type { Window } from "./scale";

/** So much more than is seen lies on the canvas of the lines, on each side, as a part of it: panning then only moves the canvas. */
const overscan = 0.5;
/** Lines are drawn anew when nothing has moved for so long, ms; until then what was drawn is moved and stretched. */
const rest = 120;

export interface Props {
  picture: Picture;
  seen: Window;
  all: [number, number];
  move: (w: Window) => void;
  told: boolean;
}

/** Lines, labels beside and below them, and above all the line under the mouse: a canvas each, so that a move redraws little. */
export function Canvas(p: Props) {
  const under = useRef<HTMLCanvasElement>(null);
  const beside = useRef<HTMLCanvasElement>(null);
  const below = useRef<HTMLCanvasElement>(null);
  const upper = useRef<HTMLCanvasElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const size = useBox(box, 90);
  const [hovered, setHovered] = useState<Hovered>();
  const clean = useRef(true); // nothing is drawn on the upper canvas
  const view = useRef(p);
  view.current = p;
  const sized = useRef(size);
  sized.current = size;
  const a = area(size);
  const paints = useColours();

  useLines(under, p, size, paints);
  useLayoutEffect(() => {
    if (!size.width) return;
    placeLabels(context(beside.current!, { width: room.left, height: size.height }), p.picture, p.seen, a, paints);
    hourLabels(context(below.current!, { width: size.width, height: room.bottom }), p.seen, { ...a, bottom: 0 }, paints);
  }, [p.picture, p.seen, size, paints]);
  useLayoutEffect(() => {
    if (!size.width || (!hovered && clean.current)) return; // wiping a large canvas in each frame costs more than all else
    const c = context(upper.current!, size);
    clean.current = !hovered;
    if (!hovered) return;
    c.beginPath();
    c.rect(a.left, 0, a.right - a.left, a.bottom);
    c.clip();
    c.strokeStyle = paints.accent;
    c.lineWidth = 1.5;
    c.setLineDash([5, 4]);
    c.beginPath();
    tracePlan(c, hovered.line, p.seen, a);
    c.stroke();
    c.setLineDash([]);
    c.lineWidth = 3.5;
    c.beginPath();
    trace(c, hovered.line, p.seen, a, p.picture.now);
    c.stroke();
  }, [hovered, p.seen, size, paints]);
  useGestures(box, view, sized, setHovered);

  const line = hovered && p.picture.lines.find((l) => l.unit === hovered.line.unit);
  const here = place(p.seen, a);
  return (
    <div class="diagram" ref={box} tabIndex={0} id="table" role="img" aria-label={t("diagramOf", String(p.picture.lines.length))}
      style={{ height: size.height ? `${size.height}px` : "60vh" }}>
      <div class="lines" style={{ left: `${room.left}px`, width: `${a.right - a.left}px`, height: `${a.bottom}px` }}><canvas ref={under} /></div>
      <canvas ref={beside} />
      <canvas ref={below} style={{ top: `${a.bottom}px` }} />
      <canvas ref={upper} />
      {!p.told && <p class="empty">{t("loading")}</p>}
      {line && (
        <div class="tip" style={{ left: `${Math.min(hovered.x + 14, size.width - 230)}px`, top: `${Math.min(hovered.y + 14, size.height - 90)}px` }}>
          <strong>{line.unit}</strong>
          <small>{Number.isNaN(line.delay) ? t("noPlan") : t("delayOf", duration(line.delay))}</small>
          <small>{`${minute(here.t(hovered.x))} UTC, km ${Math.round(p.picture.km(here.km(hovered.y)))}`}</small>
        </div>
      )}
    </div>
  );
}

/** The colours there are now. When the system changes between day and night the style sheet follows by itself, a canvas is to be drawn anew. */
function useColours(): Colours {
  const [, change] = useState(0);
  useEffect(() => {
    const night = matchMedia("(prefers-color-scheme: dark)");
    const changed = () => change((n) => n + 1);
    night.addEventListener("change", changed);
    return () => night.removeEventListener("change", changed);
  }, []);
  return colours();
}

/** Draws the lines when the picture changes or a move has come to rest; meanwhile moves what is drawn. */
function useLines(canvas: { readonly current: HTMLCanvasElement | null }, p: Props, size: Size, paints: Colours) {
  const drawn = useRef<{ window: Window; seen: Window; picture: Picture; size: Size; colours: Colours } | undefined>(undefined);
  const latest = useRef(p);
  latest.current = p;
  useLayoutEffect(() => {
    if (!size.width) return;
    const a = area(size);
    const width = a.right - a.left;
    const paint = () => {
      const began = performance.now();
      const { seen, picture } = latest.current;
      const more = (seen.t1 - seen.t0) * overscan;
      const w = { ...seen, t0: seen.t0 - more, t1: seen.t1 + more };
      const wide = width * (1 + 2 * overscan);
      draw(context(canvas.current!, { width: wide, height: a.bottom }), picture, w, { left: 0, right: wide, top: a.top, bottom: a.bottom }, paints);
      drawn.current = { window: w, seen, picture, size, colours: paints };
      adjust(w, seen);
      performance.measure("diagram", { start: began, end: performance.now() });
    };
    const adjust = (w: Window, seen: Window) => {
      const at = place(seen, { ...a, left: 0, right: width });
      const sx = (at.x(w.t1) - at.x(w.t0)) / (width * (1 + 2 * overscan));
      const sy = (w.k1 - w.k0) / (seen.k1 - seen.k0);
      canvas.current!.style.transform = `matrix(${sx}, 0, 0, ${sy}, ${at.x(w.t0)}, ${at.y(w.k0) - a.top * sy})`;
    };
    const was = drawn.current;
    if (!was || was.size !== size || was.colours !== paints || was.picture.lines !== p.picture.lines || was.picture.planned !== p.picture.planned || was.window.t0 > p.seen.t0 || was.window.t1 < p.seen.t1 ||
      was.window.k0 > p.seen.k0 || was.window.k1 < p.seen.k1) {
      paint();
      return;
    }
    adjust(was.window, p.seen);
    // To draw a thousand lines takes a while: a now that went on by less than a pixel is no reason.
    const pixel = (p.seen.t1 - p.seen.t0) / width;
    const near = (x: number, y: number) => Math.abs(x - y) < pixel;
    if (near(was.seen.t0, p.seen.t0) && near(was.seen.t1, p.seen.t1) && near(was.picture.now, p.picture.now) && was.seen.k0 === p.seen.k0 && was.seen.k1 === p.seen.k1) return;
    const timer = setTimeout(paint, rest);
    return () => clearTimeout(timer);
  }, [p.picture, p.seen, size, paints]);
}

/** A canvas as large as it is shown, with all the pixels of the screen, wiped. */
function context(canvas: HTMLCanvasElement, size: Size): CanvasRenderingContext2D {
  const dense = window.devicePixelRatio || 1;
  const [width, height] = [Math.round(size.width * dense), Math.round(size.height * dense)];
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
    canvas.style.width = `${size.width}px`;
    canvas.style.height = `${size.height}px`;
  }
  const c = canvas.getContext("2d")!;
  c.reset();
  c.setTransform(dense, 0, 0, dense, 0, 0);
  return c;
}
