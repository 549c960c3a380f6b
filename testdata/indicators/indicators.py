#!/usr/bin/env python3
"""The indicators once more, out of raw events, by nothing but the two files of this directory and Python's standard library.

    indicators.py CATALOGUE EVENTS...

CATALOGUE is a directory with places, borders, corridors and sections as lines of JSON (facts, not code); EVENTS are files of CloudEvents
(.jsonl) or of trip forms (.csv). Prints a line for each row: the indicator's name and the values, tabs between. It knows feeds of
reports only: no positions; wagon lists only for which train goes on as which, plans only for when something should have happened.
Definitions: docs/indicators.md and the reports named there.
"""
import sys
from collections import defaultdict
from datetime import datetime, timezone
from decimal import Decimal

sys.dont_write_bytecode = True  # nothing beside the sources

from raw import Catalogue, from_forms, from_jsonl, half_passages, identities, journeys, passages, periods, rounded, share, show, summary

# ---- indicators -------------------------------------------------------------------------------------------------------------------

def coverage(cat, all_journeys):
    """How much of the passages was observed, by side and day (UTC): units, seen here, seen on both sides, not certain to cross, and the hours in
    which something was told of one while it was here. Of a side that was not seen the day is that of the seen one's near end."""
    rows = defaultdict(lambda: [0, 0, 0, 0, set()])
    now = max(j.reports[-1][0] for j in all_journeys)

    def day(at):
        return datetime.fromtimestamp(at, timezone.utc).strftime("%Y-%m-%d")

    def take(border, role, direction, kind, came, seen, both, candidate, reports):
        key = border, role, direction.split("-")[role == "inbound"], direction, kind
        row = rows[*key, day(came)]
        row[0] += 1
        row[1] += seen
        row[2] += both
        row[3] += candidate
        for at in reports:
            rows[*key, day(at)][4].add(int(at // 3600))

    for j in all_journeys:
        def reports(stays):
            """What was told while it was on a side. Where nobody told that it left it was there until it was heard of elsewhere."""
            after = j.stays[j.stays.index(stays[-1]) + 1:]
            last = stays[-1].went()
            return [at for at, _ in j.reports if at >= j.came(stays) and (at <= last if last else not after or at < after[0].came())]

        lost = j.reports[-1][0] < now - 14 * 86400
        for border, direction, out, into in passages(cat, j):
            take(border, "outbound", direction, j.kind, j.came(out), True, True, False, reports(out))
            take(border, "inbound", direction, j.kind, j.came(into), True, True, False, reports(into))
        for border, direction, role, stays, candidate in half_passages(cat, j):
            if candidate and lost and not j.ended and stays[-1].went() is None:
                continue  # nobody will say any more whether it crossed
            take(border, role, direction, j.kind, j.came(stays), True, False, candidate, reports(stays))
            if not candidate:
                other, at = ("outbound", j.came(stays)) if role == "inbound" else ("inbound", stays[-1].went() or j.came(stays))
                take(border, other, direction, j.kind, at, False, False, False, [])
    for key, (units, seen, both, candidates, hours) in rows.items():
        show("coverage", *key, units, seen, both, share(both, units), candidates, len(hours))


def tfi1(cat, all_journeys):
    """From the entry to the exit of each side, and of both, of those whose entry and exit were told; a train that begins on a side is
    there from when it was first heard of. Beside them those that certainly crossed of which one of the two was not told."""
    samples, unseen, candidates = defaultdict(list), defaultdict(int), defaultdict(int)
    other = identities(cat, all_journeys)
    for j in all_journeys:
        def ended(last):
            """When a stay ended: where nobody told, when it was heard of elsewhere."""
            after = j.stays[j.stays.index(last) + 1:]
            return last.went() or (after[0].came() if after else None)

        def count(counts, at, *key):
            for p in periods(at) if at else ():
                counts[p, *key, j.kind] += 1

        def take(border, direction, side, first, last, candidate=False):
            a, b = first.passed or first.arrived, last.went()
            if first is j.stays[0] and not a and j.kind in ("train", "vessel") and j.came([first]) != first.departed:
                a = j.came([first])
            if a and b and not candidate:
                for p in periods(b):
                    samples[p, border, side, direction, j.kind].append(int(b - a))
            elif a and b:
                count(candidates, b, border, side, direction)
            elif not candidate:
                count(unseen, ended(last), border, side, direction)

        for border, direction, out, into in passages(cat, j):
            take(border, direction, "outbound", out[0], out[-1])
            take(border, direction, "inbound", into[0], into[-1])
            take(border, direction, "pair", out[0], into[-1])
        for border, direction, side, stays, candidate in half_passages(cat, j):
            # A train that was taken over crossed for certain, and so did one whose containers went on under another name: together they are
            # one of which the pair was not seen.
            take(border, direction, side, stays[0], stays[-1], candidate and side == "outbound" and (j.unit, border) not in other)
            if side == "inbound" or not candidate:
                count(unseen, ended(stays[-1]), border, "pair", direction)
            if not candidate and side == "inbound":
                count(unseen, stays[0].passed or stays[0].arrived, border, "outbound", direction)
            elif not candidate:
                count(unseen, ended(stays[-1]), border, "inbound", direction)
    for key in {*samples, *unseen, *candidates}:
        values = samples[key]
        n = len(values)
        show("tfi1", *key, n, *summary(values, 3600), rounded(max(values) / 3600) if n else None, unseen[key], share(n, n + unseen[key]), candidates[key])


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
            if s.place == j.destination if j.destination else s.ended:
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


def main(directory, *paths):
    cat = Catalogue(directory)
    found = journeys(e for path in paths for e in (from_forms(path) if path.endswith(".csv") else from_jsonl(path)))
    tfi1(cat, found)
    speeds(cat, found)
    punctuality(cat, found)
    through_dwell(found)
    consolidated_dwell(cat, found)
    time_distance(cat, found)
    transit(cat, found)
    costs(cat, found)
    coverage(cat, found)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
