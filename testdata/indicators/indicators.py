#!/usr/bin/env python3
"""The indicators once more, out of raw events, by nothing but this file and Python's standard library.

    indicators.py CATALOGUE EVENTS

CATALOGUE is a directory with places, borders, corridors and sections as lines of JSON (facts, not code); EVENTS a file of CloudEvents
(.jsonl) or of trip forms (.csv). Prints a line for each row: the indicator's name and the values, tabs between. It knows feeds of
reports only: no positions, no wagon lists. Definitions: docs/indicators.md and the reports named there.
"""
import csv
import json
import sys
from collections import defaultdict
from datetime import datetime, timezone
from decimal import Decimal
from heapq import heappop, heappush

MINIMUM = 5  # fewer samples: no median, percentile or share


# ---- raw events -------------------------------------------------------------------------------------------------------------------

def seconds(text):
    """Seconds since 1970 of a time with offset."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() if text else None


def from_jsonl(path):
    """Events that hold in the end: of one source and id the one recorded last, without what was taken back and what was only expected."""
    latest, gone = {}, set()
    for line in open(path, encoding="utf-8"):
        e = json.loads(line)
        key = e["source"], e["id"]
        if e["type"] == "event.retracted":
            gone.add((e["source"], e["data"]["retracts_id"]))
        elif key not in latest or (seconds(e.get("recordedat")) or 0) > (seconds(latest[key].get("recordedat")) or 0):
            latest[key] = e
    for key, e in latest.items():
        if key not in gone and e.get("classifier", "actual") == "actual":
            kind, verb = e["type"].split(".")
            yield dict(e.get("data", {}), kind=kind, verb=verb, unit=e["subject"], at=seconds(e["time"]),
                       planned=seconds(e.get("data", {}).get("planned_time")), what=e.get("data", {}).get("kind"))


def from_forms(path):
    for r in csv.DictReader(open(path, encoding="utf-8")):
        head = dict(kind=r["kind"], unit=r["unit"], place=r["place"])
        if r["arrival"]:
            yield dict(head, verb="arrived", at=seconds(r["arrival"]), planned=seconds(r["planned_arrival"]))
        if r["departure"]:
            yield dict(head, verb="departed", at=seconds(r["departure"]), planned=seconds(r["planned_departure"]))
        if r["ended"]:
            yield dict(head, verb="ended", at=seconds(r["ended"]))
        if r["activity_from"]:
            yield dict(head, verb="activity", at=seconds(r["activity_from"]), what=r["activity"])
        if r["paid"]:
            yield dict(head, verb="cost", at=seconds(r["paid"]), amount=r["amount"], currency=r["currency"], official=r["official"] != "false",
                       to_place=r["to_place"], km=r["km"], weight_t=r["weight_t"])


# ---- journeys ---------------------------------------------------------------------------------------------------------------------

class Stay:
    """A stop at a place, or the passing of it."""

    def __init__(self, place):
        self.place, self.arrived, self.departed, self.passed, self.ended = place, None, None, None, False
        self.planned_arrival = self.planned_departure = None
        self.repaired = False

    def came(self):
        return self.passed or self.arrived or self.departed

    def went(self):
        return self.passed or self.departed


class Journey:
    """All stays of one train, vessel, wagon or container, in order."""

    def __init__(self, unit, kind):
        self.unit, self.kind, self.stays, self.costs = unit, kind, [], []


def kind_of(event):
    if event["kind"] != "unit":
        return event["kind"]
    digits = event["unit"].replace(" ", "").replace("-", "")
    return "wagon" if digits.isdigit() and len(digits) in (8, 12) else "container"


def journeys(events):
    by_unit = {}
    for e in sorted(events, key=lambda e: (e["at"], e["verb"] != "arrived")):
        if e["verb"] not in ("arrived", "departed", "passed", "ended", "activity", "cost") or e["kind"] not in ("train", "vessel", "unit"):
            continue
        j = by_unit.setdefault(e["unit"], Journey(e["unit"], kind_of(e)))
        last = j.stays[-1] if j.stays else None
        here = last if last and last.place == e.get("place") and not last.passed and not last.departed else None
        if e["verb"] == "cost":
            j.costs.append(e)
        elif e["verb"] == "activity":
            if here and e["what"] == "wagon_repair":
                here.repaired = True
        elif e["verb"] == "ended":
            if last and e.get("place", last.place) == last.place:
                last.departed, last.ended = last.departed or e["at"], True
        elif e["verb"] == "passed":
            j.stays.append(Stay(e["place"]))
            j.stays[-1].passed = e["at"]
        elif e["verb"] == "arrived":
            j.stays.append(Stay(e["place"]))
            j.stays[-1].arrived, j.stays[-1].planned_arrival = e["at"], e["planned"]
        else:
            # By the clocks of two railways a train may arrive at the next place before it has left the last.
            open_here = [s for s in j.stays[-2:] if s.place == e["place"] and not s.passed and not s.departed]
            if not open_here:
                open_here = [Stay(e["place"])]
                j.stays += open_here
            open_here[-1].departed, open_here[-1].planned_departure = e["at"], e["planned"]
    return [j for j in by_unit.values() if j.stays]


# ---- arithmetic -------------------------------------------------------------------------------------------------------------------

def rounded(x, digits=4):
    return round(x * 10 ** digits) / 10 ** digits


def quantile(values, level):
    """Of n sorted values that at position (n - 1) * level, between neighbours by proportion."""
    values = sorted(values)
    at = (len(values) - 1) * level
    low = int(at)
    return values[low] if low + 1 == len(values) else values[low] + (at - low) * (values[low + 1] - values[low])


def summary(values, unit, digits=4):
    """Mean, median and 95th percentile in a unit of so many seconds."""
    if not values:
        return [None] * 3
    few = len(values) < MINIMUM
    return [rounded(sum(values) / len(values) / unit, digits)] + [None if few else rounded(quantile(values, q) / unit, digits) for q in (0.5, 0.95)]


def share(n, of):
    return None if of < MINIMUM else rounded(n / of)


def periods(at):
    t = datetime.fromtimestamp(at, timezone.utc)
    return ["all", t.strftime("%Y"), t.strftime("%Y-%m")]


def show(name, *values):
    def text(v):
        if v is None:
            return "\\N"
        if isinstance(v, bool):
            return str(v).lower()
        if isinstance(v, list):
            return "[" + ",".join(f"'{x}'" for x in v) + "]"
        if isinstance(v, float):
            return str(int(v)) if v == int(v) else repr(v)
        return str(v)
    print("\t".join([name] + [text(v) for v in values]))


# ---- catalogue --------------------------------------------------------------------------------------------------------------------

class Catalogue:
    def __init__(self, directory):
        def read(name):
            return [json.loads(line) for line in open(f"{directory}/{name}.jsonl", encoding="utf-8")]
        self.country, self.ports, self.ends = {}, set(), set()
        for p in read("places"):
            self.country[p["id"]] = p["country"]
            if {"seaport", "ferry_port"} & set(p["kinds"]):
                self.ports.add(p["id"])
            if {"hub", "seaport", "ferry_port", "dry_port", "gauge_break", "border_station", "border_point"} & set(p["kinds"]):
                self.ends.add(p["id"])
        self.borders = read("borders")
        self.corridors = read("corridors")
        self.ends.update(p for c in self.corridors for p in (c["places"][0], c["places"][-1]))
        self.ways, self.sea = defaultdict(list), set()
        for s in read("sections"):
            for a, b in ((s["from_place"], s["to_place"]), (s["to_place"], s["from_place"])):
                if s["status"] == "open":
                    self.ways[a].append((b, s["km"], s["mode"], s["id"]))
                if s["mode"] == "sea":
                    self.sea.add((a, b))

    def way(self, a, b):
        """The shortest way: km, sea if any of it is, and the section if it is just one."""
        queue, seen = [(0, a, "rail", [])], set()
        while queue:
            km, at, mode, sections = heappop(queue)
            if at == b:
                return km, mode, sections[0] if len(sections) == 1 else ""
            if at in seen:
                continue
            seen.add(at)
            for to, more, by, section in self.ways[at]:
                heappush(queue, (km + more, to, "sea" if "sea" in (by, mode) else mode, sections + [section]))
        return None, "", ""

    def corridor(self, places):
        """The one corridor that holds all places in its order or against it."""
        fits = []
        for c in self.corridors:
            way = [c["places"].index(p) for p in places if p in c["places"]]
            if len(way) == len(places) > 1 and (way == sorted(way) or way == sorted(way, reverse=True)):
                fits.append(c["id"])
        return fits[0] if len(fits) == 1 else ""

    def along(self, a, b):
        """Kilometres between two places of one corridor, the shortest; else of a section."""
        found = [abs(c["km"][c["places"].index(a)] - c["km"][c["places"].index(b)]) for c in self.corridors if a in c["places"] and b in c["places"]]
        found += [km for to, km, _, _ in self.ways[a] if to == b]
        return min(found, default=None)


# ---- indicators -------------------------------------------------------------------------------------------------------------------

def passages(cat, j):
    """Border passages of a journey: the border, the direction, and the stays on the side that is left and on that which is entered."""
    for b in cat.borders:
        groups = []  # neighbouring stays on one side: side, index of the first and behind the last
        for i, s in enumerate(j.stays):
            side = "a" if s.place in b["places_a"] else "b" if s.place in b["places_b"] else ""
            if side and groups and groups[-1][0] == side and groups[-1][2] == i:
                groups[-1][2] = i + 1
            elif side:
                groups.append([side, i, i + 1])
        for out, into in zip(groups, groups[1:]):
            if out[0] != into[0] and out[2] == into[1]:
                yield (b["id"], b["country_" + out[0]] + "-" + b["country_" + into[0]], j.stays[out[1]:out[2]], j.stays[into[1]:into[2]])


def tfi1(cat, all_journeys):
    samples = defaultdict(list)
    for j in all_journeys:
        for border, direction, out, into in passages(cat, j):
            began, left = out[0].passed or out[0].arrived, out[-1].went()
            reached, gone = into[0].passed or into[0].arrived, into[-1].went()
            for side, a, b in (("outbound", began, left), ("inbound", reached, gone), ("pair", began, gone)):
                if a and b:
                    for p in periods(b):
                        samples[p, border, side, direction, j.kind].append(int(b - a))
    for key, values in samples.items():
        show("tfi1", *key, len(values), *summary(values, 3600), rounded(max(values) / 3600))


class Speed:
    """Sums over legs: all of them, those of unknown length, and those that arrived before they departed, by clocks that oppose."""

    def __init__(self):
        self.n = self.unknown = self.opposed = self.metres = self.elapsed = self.moved = self.moving = 0
        self.units = set()

    def add(self, unit, km, elapsed, moving):
        if km is None:
            self.unknown += 1
            return
        self.n += 1
        self.units.add(unit)
        self.metres += round(km * 1000)
        self.elapsed += elapsed
        if moving > 0:
            self.moving += moving
            self.moved += round(km * 1000)
        else:
            self.opposed += 1

    def swd_swod(self):
        return (rounded(self.metres * 3.6 / self.elapsed) if self.elapsed > 0 else None,
                rounded(self.moved * 3.6 / self.moving) if self.moving else None)


def speeds(cat, all_journeys):
    countries, corridors, sections = (defaultdict(Speed) for _ in range(3))
    for j in all_journeys:
        corridor = cat.corridor([s.place for s in j.stays])
        for i in range(1, len(j.stays)):
            a, b = j.stays[i - 1], j.stays[i]
            if not a.went() or not b.came():
                continue
            km, mode, section = cat.way(a.place, b.place)
            # The stop before a leg belongs to it, but for that where the journey began: no train was seen to arrive there.
            began = a.came() if i > 1 or a.arrived and j.kind in ("train", "vessel") else a.went()
            leg = j.unit, km, int(b.came() - began), int(b.came() - a.went())
            for p in periods(b.came()):
                countries[p, cat.country[a.place], mode, j.kind].add(*leg)
                corridors[p, corridor, mode, j.kind].add(*leg)
                if section:
                    sections[p, corridor, section, a.place, b.place, mode, j.kind].add(*leg)
    for name, sums in (("speed", countries), ("corridor", corridors)):
        for key, s in sums.items():
            show(name, *key, s.n, len(s.units), s.unknown, s.opposed, s.metres / 1000, rounded(s.elapsed / 3600), rounded(s.moving / 3600), *s.swd_swod())
    for key, s in sections.items():
        show("section", *key, s.n, s.opposed, s.metres / 1000 / s.n, s.elapsed, s.moving, *s.swd_swod())


def punctuality(cat, all_journeys):
    delays = defaultdict(list)
    stations = [(p, b["id"]) for b in cat.borders for p in b["places_a"] + b["places_b"]]

    def take(point, place, border, at, planned, kind):
        if at and planned:
            for p in periods(at):
                delays[p, point, place, border, kind].append(int(at - planned))
    for j in all_journeys:
        if j.kind not in ("train", "vessel"):
            continue
        first = j.stays[0]
        if not first.arrived:
            take("origin", first.place, "", first.departed, first.planned_departure, j.kind)
        for s in j.stays[0 if first.arrived else 1:]:
            for place, border in stations:
                if s.place == place:
                    take("border", place, border, s.came(), s.planned_arrival, j.kind)
            if s.ended:
                take("destination", s.place, "", s.arrived, s.planned_arrival, j.kind)
    for key, d in delays.items():
        on_time = sum(1 for x in d if x <= 1800)
        show("punctuality", *key, len(d), on_time, share(on_time, len(d)), *summary(d, 60, 2))


def through_dwell(all_journeys):
    stops = defaultdict(list)
    for j in all_journeys:
        for s in j.stays:
            if s.arrived and s.departed and not s.ended:
                for p in periods(s.departed):
                    stops[p, s.place, j.kind].append((int(s.departed - s.arrived), s.repaired))
    for key, all_stops in stops.items():
        dwells = [d for d, _ in all_stops]
        kept = [d for d, repaired in all_stops if d <= 10 * 86400 and not repaired]
        long = sum(1 for d in dwells if d > 10 * 86400)
        show("through", *key, len(dwells), *summary(dwells, 3600), rounded(max(dwells) / 3600), len(kept), *summary(kept, 3600), long, len(dwells) - len(kept) - long)


def consolidated_dwell(cat, all_journeys):
    groups = defaultdict(list)
    for j in all_journeys:
        last = j.stays[-1]
        if j.kind not in ("container", "wagon") or not last.departed or len(j.stays) < 2:
            continue
        port = inland = 0
        arrival_port = j.stays[0] if j.stays[0].place in cat.ports and len(j.stays) > 1 else None
        by_sea = [s for before, s in zip(j.stays, j.stays[1:-1]) if (before.place, s.place) in cat.sea]
        if by_sea:
            arrival_port = by_sea[0]
        for i, s in enumerate(j.stays[1:], 1):
            if s.arrived and s.departed and s.place in cat.ports:
                port += int(s.departed - s.arrived)
            elif s.arrived and s.departed and s is not last:
                inland += int(s.departed - s.arrived)
        lead = int(last.came() - arrival_port.went()) if arrival_port else None
        for p in periods(last.came()):
            groups[p, j.stays[0].place, last.place, j.kind].append((port, inland, lead))
    for key, g in groups.items():
        leads = [lead for _, _, lead in g if lead is not None]
        show("consolidated", *key, len(g), *summary([p + i for p, i, _ in g], 86400), summary([p for p, _, _ in g], 86400)[0],
             summary([i for _, i, _ in g], 86400)[0], len(leads), *summary(leads, 86400))


def lines(cat, j):
    """The stays of a journey as they came, and the corridors that hold most of its places in order, its first and last among them, with
    the positions there."""
    stays = sorted((s for s in j.stays if s.came()), key=lambda s: s.came())
    fits = []
    for c in cat.corridors:
        way = [c["places"].index(s.place) for s in stays if s.place in c["places"]]
        ends = [s.place for s in (stays[0], stays[-1])]
        if way and ends[0] != ends[1] and all(e in c["places"] for e in ends) and (way == sorted(way) or way == sorted(way, reverse=True)):
            fits.append((way, c))
    return stays, [(way, c) for way, c in fits if len(way) == max(len(w) for w, _ in fits)]


def transit(cat, all_journeys):
    """From the last departure at one end to the first arrival at another, by the way that lies between them."""
    samples, led, length = defaultdict(list), defaultdict(dict), {}
    for j in all_journeys:
        stays, fits = lines(cat, j)
        ways = set()
        for positions, c in fits:
            places, km = c["places"], lambda i: abs(c["km"][i] - c["km"][positions[0]])
            for x in set(positions):
                for y in set(positions):
                    if km(x) < km(y) and places[x] in cat.ends and places[y] in cat.ends:
                        way = places[x], places[y], tuple(places[x + 1:y] or reversed(places[y + 1:x]))
                        ways.add(way)
                        led[way][c["id"]] = c["status"] == "planned"
                        length[way] = rounded(km(y) - km(x), 3)
        for way in ways:
            left = [s for s in stays if s.place == way[0]][-1].went()
            reached = [s for s in stays if s.place == way[1]][0].came()
            if left and left <= reached:
                for p in periods(reached):
                    samples[p, *way[:2], j.kind, way[2]].append(int(reached - left))
    means = defaultdict(list)
    for key, times in samples.items():
        means[key[:4]].append(rounded(sum(times) / len(times) / 3600))
    for key, times in samples.items():
        way = key[1], key[2], key[4]
        mean, median, p95 = summary(times, 3600)
        show("transit", *key[:4], sorted(led[way]), list(key[4]), all(led[way].values()), length[way], len(times), mean, median, p95,
             rounded(length[way] / mean) if mean else None, len(means[key[:4]]), rounded(mean - min(means[key[:4]])))


def time_distance(cat, all_journeys):
    """Time since the departure from where the journey begins, at the places between there and where it ended, along the corridors that
    hold most of the places it was at. Journeys between the same ends make a profile; where one was not seen it lies between its stops."""
    between = defaultdict(list)
    for j in all_journeys:
        stays, fits = lines(cat, j)
        for way, c in fits:
            origin = stays[0].place
            start = [s for s in stays if s.place == origin][-1].went() or stays[0].came()
            stops = []
            for at in dict.fromkeys(way):
                here = [s for s in stays if s.place == c["places"][at]]
                stops.append([abs(c["km"][at] - c["km"][way[0]]), here[0].place, int(here[0].came() - start), here[-1].went() and int(here[-1].went() - start)])
            stops[0][2:] = 0, 0
            between[c["id"], "up" if way == sorted(way) else "down", j.kind, origin, stays[-1].place].append((start, stops))
    for ends, journeys_between in between.items():
        places = sorted({(km, place) for _, stops in journeys_between for km, place, _, _ in stops})
        for km, place in places:
            profile = defaultdict(lambda: ([], [], []))
            for start, stops in journeys_between:
                i = next(i for i, s in enumerate(stops) if s[0] >= km)
                if stops[i][0] == km:
                    came, went = stops[i][2:]
                    if went is None and i + 1 < len(stops):
                        went = came
                else:
                    (km_before, _, came, went), (km_behind, _, reached, _) = stops[i - 1:i + 1]
                    left = came if went is None else went
                    metres, of = round((km - km_before) * 1000), round((km_behind - km_before) * 1000)
                    came = went = left + (reached - left) * metres // of
                for p in periods(start):
                    all_came, all_went, seen = profile[p]
                    all_came.append(came)
                    if went is not None:
                        all_went.append(went)
                    if stops[i][0] == km:
                        seen.append(place)
            for p, (came, went, seen) in profile.items():
                if seen:
                    show("profile", p, *ends, place, rounded(km, 3), len(came), len(seen), *summary(came, 3600), len(went), *summary(went, 3600))


def costs(cat, all_journeys):
    at_border, on_way = defaultdict(list), defaultdict(list)
    for j in all_journeys:
        sides, ways = defaultdict(Decimal), defaultdict(list)
        for c in j.costs:
            if c["to_place"]:
                ways[c["place"], c["to_place"], c["currency"]].append(c)
                continue
            for border, direction, out, into in passages(cat, j):
                for side, stays in (("outbound", out), ("inbound", into)):
                    if any(s.place == c["place"] for s in stays):
                        sides[border, side, direction, c["currency"], stays[-1].went() or c["at"]] += Decimal(c["amount"])
        for (border, side, direction, currency, at), total in sides.items():
            for p in periods(at):
                at_border[p, border, side, direction, j.kind, currency].append(float(total))
        for (a, b, currency), paid in ways.items():
            km = max((float(c["km"]) for c in paid if c["km"]), default=None) or cat.along(a, b)
            tonnes = max((float(c["weight_t"]) for c in paid if c["weight_t"]), default=None)
            if km and tonnes:
                cost = float(sum(Decimal(c["amount"]) for c in paid)) * 500 / km * 20 / tonnes
                for p in periods(max(c["at"] for c in paid)):
                    on_way[p, a, b, j.kind, currency].append(cost)
    for key, totals in at_border.items():
        show("tfi2", *key, len(totals), *summary(totals, 1))
    for key, totals in on_way.items():
        show("tfi3", *key, len(totals), *summary(totals, 1))


def main(directory, path):
    cat = Catalogue(directory)
    found = journeys(from_forms(path) if path.endswith(".csv") else from_jsonl(path))
    tfi1(cat, found)
    speeds(cat, found)
    punctuality(cat, found)
    through_dwell(found)
    consolidated_dwell(cat, found)
    time_distance(cat, found)
    transit(cat, found)
    costs(cat, found)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
