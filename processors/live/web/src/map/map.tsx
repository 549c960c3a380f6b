import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { useRows } from "../api";
import { useBox, type Size } from "../box";
import { useCatalogue, type Catalogue, type Place } from "../catalogue";
import { age, duration, number, silence, text } from "../format";
import { short } from "../diagram/draw";
import { href, set } from "../route";
import type { Live, Row } from "../stream";
import { t } from "../texts";
import { waters } from "./outlines";

interface Section {
  id: string;
  from_place: string;
  to_place: string;
  mode: string;
  status: string;
}

/** What is seen: the point of the projection in the middle, and pixels for each of its degrees. */
interface Camera {
  x: number;
  y: number;
  k: number;
}

/** Mercator, degrees: shapes stay what they are at any latitude. */
const px = (lon: number): number => lon;
const py = (lat: number): number => (-Math.log(Math.tan(Math.PI / 4 + (lat * Math.PI) / 360)) * 180) / Math.PI;

const mostPositions = 5000;

/** Corridors and trains on outlines of our own: nothing is loaded from a tile server. */
export function MapView(p: { live: Live; query: URLSearchParams }) {
  const known = useCatalogue();
  const sections = useRows<Section>("sections", { limit: 100_000 });
  const unit = p.query.get("unit") ?? "";
  const track = useRows<Row>(unit ? "positions" : "", { unit, columns: "time,lat,lon", order: "-time", limit: mostPositions }, 15_000);
  if (sections.error) return <p class="empty bad" role="alert">{sections.error}</p>;
  if (!known || !sections.rows || (unit && !track.rows && !track.error)) return <p class="empty">{t("loading")}</p>;
  return <Drawn live={p.live} known={known} sections={sections.rows} unit={unit} track={track.rows ?? []} />;
}

function Drawn(p: { live: Live; known: Catalogue; sections: Section[]; unit: string; track: Row[] }) {
  const box = useRef<HTMLDivElement>(null);
  const size = useBox(box, 60);
  const [moved, setMoved] = useState<Camera>();
  const now = p.live.now();
  const trains = p.live.rows("trains").filter((r) => r["state"] !== "closed" && typeof r["lat"] === "number");
  const fitted = useMemo(() => fit(p, trains, size), [p.known, p.track, size, trains.length > 0]);
  const camera = moved ?? fitted;
  const view = useRef(camera);
  view.current = camera;
  useDrag(box, view, size, setMoved);
  const x = (lon: number) => size.width / 2 + (px(lon) - camera.x) * camera.k;
  const y = (lat: number) => size.height / 2 + (py(lat) - camera.y) * camera.k;
  const line = (points: number[]) => points.map((v, i) => (i % 2 ? "" : `${i ? "L" : "M"}${x(v).toFixed(1)},${y(points[i + 1]!).toFixed(1)}`)).join("");
  const at = new Map<string, Row[]>();
  for (const r of trains) if (text(r["place"])) at.set(text(r["place"]), [...(at.get(text(r["place"])) ?? []), r]);
  const under = trains.filter((r) => !text(r["place"])).map((row) => ({ row, cx: x(number(row["lon"])), cy: y(number(row["lat"])), old: silence(row["seen_at"], now) }));
  const places = [...p.known.places.values()].filter((v) => v.has_position);
  const room = labelRoom(size);
  const names = named(places, x, y, at, room);
  for (const u of under) room(u.cx - 5, u.cy, 10);
  const zoom = (by: number) => setMoved({ ...camera, k: camera.k * by });
  return (
    <section class="map">
      <div class="tools">
        <span class="buttons">
          <button type="button" aria-label={t("nearer")} onClick={() => zoom(1.5)}>+</button>
          <button type="button" aria-label={t("farther")} onClick={() => zoom(1 / 1.5)}>−</button>
          <button type="button" aria-pressed={!moved} onClick={() => setMoved(undefined)}>{t("fit")}</button>
        </span>
        {p.unit && <span class="count"><a href={href("unit", p.unit)}>{p.unit}</a> <button type="button" onClick={() => set({ unit: "" })}>×</button></span>}
        <span class="count">{t("trainsSeen", String(trains.length))}</span>
      </div>
      <div ref={box} class="diagram" id="table" tabIndex={0} role="group" aria-label={t("mapOf", String(trains.length))} style={{ height: size.height ? `${size.height}px` : "60vh" }}>
        {size.width > 0 && (
          <svg width={size.width} height={size.height}>
            {waters.map((w, i) => <path key={i} d={line(w.shore) + "Z"} class="water" />)}
            {waters.filter((w) => w.name && camera.k > 14).map((w) => <text key={w.name} class="sea" text-anchor="middle" x={x(middle(w.shore, 0))} y={y(middle(w.shore, 1))}>{w.name}</text>)}
            {p.sections.map((s) => {
              const [a, b] = [p.known.places.get(s.from_place), p.known.places.get(s.to_place)];
              return a?.has_position && b?.has_position && <line key={s.id} x1={x(a.lon)} y1={y(a.lat)} x2={x(b.lon)} y2={y(b.lat)} class={`way ${s.mode} ${s.status}`} />;
            })}
            {p.track.length > 1 && <path d={line(p.track.flatMap((r) => [number(r["lon"]), number(r["lat"])]))} class="track" />}
            {places.map((v) => <circle key={v.id} cx={x(v.lon)} cy={y(v.lat)} r={2} class="place" />)}
            {names.map((v) => <text key={v.id} x={x(v.lon) + 6 + (at.has(v.id) ? 6 : 0)} y={y(v.lat) + 4}>{v.name}</text>)}
            {under.map(({ row: r, cx, cy, old }) => {
              const label = `${short(r.key)}${Number.isNaN(old) ? "" : " " + duration(old)}`;
              return (
                <a key={r.key} href={href("unit", r.key)} aria-label={`${r.key}: ${duration(old)}`}>
                  <circle cx={cx} cy={cy} r={5} class={`train ${r["state"] === "open" ? "" : "silent"} ${r.key === p.unit ? "chosen" : ""}`}>
                    <title>{`${r.key}, ${t("seen")} ${t("ago", duration(old))} (${text(r["source"])}), ${Number.isNaN(number(r["speed_kmh"])) ? "" : Math.round(number(r["speed_kmh"])) + " km/h, "}${t("behind", text(r["last_place_name"]))}`}</title>
                  </circle>
                  {camera.k > 30 && room(cx + 7, cy - 9, label.length * 7) && <text x={cx + 7} y={cy - 5} class="soft">{label}</text>}
                </a>
              );
            })}
            {crowds(places.filter((v) => at.has(v.id)).map((v) => ({ place: v, rows: at.get(v.id)! })), x, y).map((c) => (
              <a key={c.of[0]!.place.id} href={href("place", c.of[0]!.place.id)} aria-label={c.of.map((o) => `${o.place.name}: ${o.rows.length}`).join(", ")}>
                <circle cx={c.x} cy={c.y} r={c.r} class="standing" data-places={c.of.length}>
                  <title>{c.of.map((o) => t("standAt", String(o.rows.length), o.place.name, duration(Math.max(...o.rows.map((r) => age(r["since"], now)).filter((s) => !Number.isNaN(s)), 0)))).join("\n")}</title>
                </circle>
                <text x={c.x} y={c.y + 4} text-anchor="middle" class="many">{c.n}</text>
              </a>
            ))}
          </svg>
        )}
      </div>
      <p class="legend"><span>{t("mapLegend")}</span></p>
    </section>
  );
}

const middle = (shore: number[], at: number): number => {
  const values = shore.filter((_, i) => i % 2 === at);
  return (Math.min(...values) + Math.max(...values)) / 2;
};

/** The camera that sees the track asked for, else all trains, else all places. */
function fit(p: { known: Catalogue; track: Row[] }, trains: Row[], size: Size): Camera {
  const rows: { lat: unknown; lon: unknown }[] = p.track.length ? (p.track as never) : trains.length ? (trains as never) : [...p.known.places.values()].filter((v) => v.has_position);
  const xs = rows.map((r) => px(number(r.lon)));
  const ys = rows.map((r) => py(number(r.lat)));
  const [x0, x1, y0, y1] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const k = Math.min((size.width - 160) / Math.max(2, x1 - x0), (size.height - 100) / Math.max(2, y1 - y0));
  return { x: (x0 + x1) / 2, y: (y0 + y1) / 2, k: Math.max(1, k) };
}

/** Whether a text still has room on the screen; if so it takes it. */
type Room = (left: number, top: number, width: number) => boolean;

function labelRoom(size: Size): Room {
  const taken: [number, number, number][] = [];
  return (left, top, width) => {
    if (left < -width || left > size.width || top < 0 || top > size.height || taken.some(([l, o, w]) => Math.abs(o - top) < 15 && left < l + w && l < left + width)) return false;
    taken.push([left, top, width]);
    return true;
  };
}

interface Standing {
  place: Place;
  rows: Row[];
}
/** Trains that stand at places which lie too close to each other on the screen for a circle each: at the first of them the most. */
interface Crowd {
  x: number;
  y: number;
  r: number;
  n: number;
  of: Standing[];
}

function crowds(all: Standing[], x: (lon: number) => number, y: (lat: number) => number): Crowd[] {
  const radius = (n: number) => 7 + Math.min(13, Math.sqrt(n) * 2);
  const out: Crowd[] = [];
  for (const s of [...all].sort((a, b) => b.rows.length - a.rows.length || (a.place.id < b.place.id ? -1 : 1))) {
    const [cx, cy, n] = [x(s.place.lon), y(s.place.lat), s.rows.length];
    const near = out.find((c) => Math.hypot(c.x - cx, c.y - cy) < c.r + radius(n) - 2);
    if (!near) out.push({ x: cx, y: cy, r: radius(n), n, of: [s] });
    else {
      near.of.push(s);
      near.n += n;
      near.r = radius(near.n);
    }
  }
  return out;
}

/** Places that are named: those where trains stand first, then borders, as far as there is room. */
function named(places: Place[], x: (lon: number) => number, y: (lat: number) => number, at: Map<string, Row[]>, room: Room): Place[] {
  const rank = (v: Place) => (at.has(v.id) ? 0 : v.kinds.some((k) => k.startsWith("border")) ? 1 : 2);
  return [...places].sort((a, b) => rank(a) - rank(b) || (a.id < b.id ? -1 : 1)).filter((v) => room(x(v.lon), y(v.lat), v.name.length * 7 + 20));
}

/** The wheel and two fingers zoom, one drags, keys do both. */
function useDrag(box: { readonly current: HTMLDivElement | null }, view: { readonly current: Camera }, size: Size, move: (c: Camera) => void) {
  useEffect(() => {
    const el = box.current!;
    const fingers = new Map<number, PointerEvent>();
    const around = (clientX: number, clientY: number, by: number) => {
      const r = el.getBoundingClientRect();
      const c = view.current;
      const [dx, dy] = [(clientX - r.left - size.width / 2) / c.k, (clientY - r.top - size.height / 2) / c.k];
      const k = Math.min(2000, Math.max(3, c.k * by));
      move({ k, x: c.x + dx - (dx * c.k) / k, y: c.y + dy - (dy * c.k) / k });
    };
    const stop = new AbortController();
    const on = <E extends Event>(name: string, f: (e: E) => void) => el.addEventListener(name, f as (e: Event) => void, { signal: stop.signal, passive: false });
    on<WheelEvent>("wheel", (e) => (e.preventDefault(), around(e.clientX, e.clientY, Math.exp(-e.deltaY * 0.0015))));
    let dragged = 0; // a drag that ends on a train does not open it
    on<MouseEvent>("click", (e) => dragged > 5 && e.preventDefault());
    on<DragEvent>("dragstart", (e) => e.preventDefault());
    on<PointerEvent>("pointerdown", (e) => ((dragged = 0), fingers.set(e.pointerId, e)));
    on<PointerEvent>("pointermove", (e) => {
      const before = fingers.get(e.pointerId);
      if (!before) return;
      fingers.set(e.pointerId, e);
      const other = [...fingers].find(([id]) => id !== e.pointerId)?.[1];
      const gap = (a: PointerEvent, b: PointerEvent) => Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
      if (other) return around((e.clientX + other.clientX) / 2, (e.clientY + other.clientY) / 2, gap(e, other) / Math.max(1, gap(before, other)));
      const c = view.current;
      dragged += Math.hypot(e.clientX - before.clientX, e.clientY - before.clientY);
      move({ ...c, x: c.x - (e.clientX - before.clientX) / c.k, y: c.y - (e.clientY - before.clientY) / c.k });
    });
    for (const name of ["pointerup", "pointercancel", "pointerleave"]) on<PointerEvent>(name, (e) => fingers.delete(e.pointerId));
    on<KeyboardEvent>("keydown", (e) => {
      const c = view.current;
      const step = 80 / c.k;
      const to = { ArrowLeft: { ...c, x: c.x - step }, ArrowRight: { ...c, x: c.x + step }, ArrowUp: { ...c, y: c.y - step }, ArrowDown: { ...c, y: c.y + step }, "+": { ...c, k: c.k * 1.25 }, "-": { ...c, k: c.k / 1.25 } }[e.key];
      if (!to) return;
      e.preventDefault();
      move(to);
    });
    return () => stop.abort();
  }, [size]);
}
