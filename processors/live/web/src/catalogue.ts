import { useEffect, useState } from "preact/hooks";
import { ask } from "./api";

export interface Place {
  id: string;
  name: string;
  country: string;
  kinds: string[];
  zone: string;
  has_position: boolean;
  lat: number;
  lon: number;
  quality: string;
  area: string;
}
export interface Border {
  id: string;
  name: string;
  country_a: string;
  country_b: string;
  places_a: string[];
  places_b: string[];
  sea: boolean;
  gauge_break: string;
  area: string;
}
export interface Corridor {
  id: string;
  name: string;
  status: string;
  places: string[];
  km: number[];
}

/** The network; it changes with the program's version alone, so it is asked for once. */
export interface Catalogue {
  places: Map<string, Place>;
  borders: Map<string, Border>;
  corridors: Map<string, Corridor>;
}

const most = 100_000;
let asked: Promise<Catalogue> | undefined;

export function catalogue(): Promise<Catalogue> {
  asked ??= (async () => {
    const [places, borders, corridors] = await Promise.all([
      ask<Place>("places", { limit: most }),
      ask<Border>("borders", { limit: most }),
      ask<Corridor>("corridors", { limit: most, order: "name" }),
    ]);
    const byId = <T extends { id: string }>(rows: T[]) => new Map(rows.map((r) => [r.id, r]));
    return { places: byId(places), borders: byId(borders), corridors: byId(corridors) };
  })();
  asked.catch(() => (asked = undefined)); // the next one asks again
  return asked;
}

/** The network, once it is there. */
export function useCatalogue(): Catalogue | undefined {
  const [known, setKnown] = useState<Catalogue>();
  useEffect(() => {
    let timer = 0;
    const go = () => void catalogue().then(setKnown, () => (timer = window.setTimeout(go, 3000)));
    go();
    return () => clearTimeout(timer);
  }, []);
  return known;
}

/** Great circle, km. */
export function distance(aLat: number, aLon: number, bLat: number, bLon: number): number {
  const rad = Math.PI / 180;
  const h = Math.sin(((bLat - aLat) * rad) / 2) ** 2 + Math.cos(aLat * rad) * Math.cos(bLat * rad) * Math.sin(((bLon - aLon) * rad) / 2) ** 2;
  return 12742 * Math.asin(Math.min(1, Math.sqrt(h)));
}

/**
 * How far along a corridor a position is, km: between the two neighbouring places from which it lies the least further than they lie
 * from each other, by its distance to each. NaN where that is a detour of more than a third and 50 km: it is elsewhere.
 */
export function kmOf(c: Corridor, places: Map<string, Place>, lat: number, lon: number): number {
  let best = Infinity;
  let km = NaN;
  for (let i = 1; i < c.places.length; i++) {
    const a = places.get(c.places[i - 1]!);
    const b = places.get(c.places[i]!);
    if (!a?.has_position || !b?.has_position) continue;
    const da = distance(lat, lon, a.lat, a.lon);
    const db = distance(lat, lon, b.lat, b.lon);
    const way = distance(a.lat, a.lon, b.lat, b.lon);
    const detour = da + db - way;
    if (detour >= best || detour > way / 3 + 50) continue;
    best = detour;
    km = c.km[i - 1]! + (da / Math.max(da + db, 1e-9)) * (c.km[i]! - c.km[i - 1]!);
  }
  return km;
}
