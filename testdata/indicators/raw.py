"""Raw events, the journeys they tell of, the catalogue, arithmetic and the passages of borders, for indicators.py."""
import csv
import json
from collections import defaultdict
from datetime import datetime, timezone
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
            yield dict(head, verb="activity", at=seconds(r["activity_from"]), what=r["activity"], state="started")
        if r["activity_to"]:
            yield dict(head, verb="activity", at=seconds(r["activity_to"]), what=r["activity"], state="finished")
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
        self.ended, self.destination = False, None
        self.reports = []  # (time, place or None), of everything that was told of the unit, in order of time
        self.handovers = []  # (time, border, state), in order of time
        self.containers = set()  # of a train: all that its lists ever named

    def came(self, stays):
        """When it came to some of its stays. Where no arrival was told it is there from when it was first heard of there."""
        s = stays[0]
        return s.passed or s.arrived or (s is self.stays[0] and next((at for at, place in self.reports if place == s.place), None)) or s.departed


def kind_of(event):
    if event["kind"] != "unit":
        return event["kind"]
    digits = event["unit"].replace(" ", "").replace("-", "")
    return "wagon" if digits.isdigit() and len(digits) in (7, 8, 12) else "container"


def journeys(events):
    by_unit, plans, reports, handovers, containers = {}, {}, defaultdict(list), defaultdict(list), defaultdict(set)
    for e in sorted(events, key=lambda e: (e["at"], e["verb"] != "arrived")):
        if e["kind"] in ("train", "vessel", "unit") and e["verb"] != "planned":
            # What is put on a train or taken off is told of the train too.
            for unit in (e["unit"], e["vehicle"]) if e["verb"] in ("loaded", "unloaded") else (e["unit"],):
                reports[unit].append((e["at"], e.get("place")))
        if e["verb"] == "planned":
            plans[e["unit"]] = e  # a later one replaces it
        if e["verb"] == "composition":
            containers[e["unit"]].update(k["id"] for item in e["items"] for k in item.get("containers", []))
        if e["verb"] == "handover":
            handovers[e["unit"]].append((e["at"], e["border"], e["state"]))
        if e["verb"] not in ("arrived", "departed", "passed", "ended", "activity", "cost") or e["kind"] not in ("train", "vessel", "unit"):
            continue
        j = by_unit.setdefault(e["unit"], Journey(e["unit"], kind_of(e)))
        last = j.stays[-1] if j.stays else None
        here = last if last and last.place == e.get("place") and not last.passed and not last.departed else None
        if e["verb"] == "cost":
            j.costs.append(e)
        elif e["verb"] == "activity":
            if here and e["what"] == "wagon_repair" and e["state"] != "finished":
                here.repaired = True
        elif e["verb"] == "ended":
            if last and e.get("place", last.place) == last.place:
                last.departed, last.ended, j.ended = last.departed or e["at"], True, True
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
    for j in by_unit.values():
        j.reports, j.handovers, j.containers = reports[j.unit], handovers[j.unit], containers[j.unit]
        plan = plans.get(j.unit, {})
        j.destination, stops = plan.get("destination"), list(plan.get("stops", []))
        for s in j.stays:
            # The first stay at a place is the first stop planned there, the second the second.
            stop = next((p for p in stops if p["place"] == s.place), None)
            if stop:
                stops.remove(stop)
                s.planned_arrival = s.planned_arrival or seconds(stop.get("arrival"))
                s.planned_departure = s.planned_departure or seconds(stop.get("departure"))
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


# ---- borders ----------------------------------------------------------------------------------------------------------------------

def sides(b, j):
    """Neighbouring stays of a journey on one side of a border: side, index of the first and behind the last."""
    groups = []
    for i, s in enumerate(j.stays):
        side = "a" if s.place in b["places_a"] else "b" if s.place in b["places_b"] else ""
        if side and groups and groups[-1][0] == side and groups[-1][2] == i:
            groups[-1][2] = i + 1
        elif side:
            groups.append([side, i, i + 1])
    return groups


def passages(cat, j):
    """Border passages of a journey: the border, the direction, and the stays on the side that is left and on that which is entered."""
    for b in cat.borders:
        groups = sides(b, j)
        for out, into in zip(groups, groups[1:]):
            if out[0] != into[0] and out[2] == into[1]:
                yield (b["id"], b["country_" + out[0]] + "-" + b["country_" + into[0]], j.stays[out[1]:out[2]], j.stays[into[1]:into[2]])


def half_passages(cat, j):
    """Passages of which one side alone was seen: the border, the direction, the role of that side, its stays, and whether it is a candidate.
    The other side is certain where the neighbouring stay is in the other country. It is not yet where a unit came from inland and is
    still there, and never will be of a train that was handed over and bears another name beyond: identities are not joined."""
    for b in cat.borders:
        groups = sides(b, j)
        for side, first, behind in groups:
            here, there = b["country_" + side], b["country_" + ("b" if side == "a" else "a")]
            stays = j.stays[first:behind]
            before = cat.country[j.stays[first - 1].place] if first > 0 else None
            after = cat.country[j.stays[behind].place] if behind < len(j.stays) else None
            said = [state for at, border, state in j.handovers if border == b["id"] and at >= (stays[0].came() if first > 0 else 0)]
            train = j.kind in ("train", "vessel")
            if all(g[2] != first for g in groups):
                if before == there:
                    yield b["id"], there + "-" + here, "inbound", stays, False
                elif before is None and train and "accepted" in said and "offered" not in said and stays[0].arrived:
                    yield b["id"], there + "-" + here, "inbound", stays, True
            if all(g[1] != behind for g in groups):
                if after == there:
                    yield b["id"], here + "-" + there, "outbound", stays, False
                elif after is None and (train and "offered" in said and said[-1] not in ("refused", "returned") or
                                        not j.ended and not stays[-1].went() and before == here):
                    yield b["id"], here + "-" + there, "outbound", stays, True


def identities(cat, all_journeys):
    """Trains that bear one name on the one side of a border and another on the other: (name, border) to the name beyond it. Told by the
    containers that both carried, where they are at least half of what the train handed on, or took over, at that border."""
    outbound, inbound = defaultdict(list), defaultdict(list)
    for j in all_journeys:
        for border, direction, role, stays, candidate in half_passages(cat, j):
            if candidate and j.kind in ("train", "vessel"):
                (outbound if role == "outbound" else inbound)[border, direction].append(j)
    other = {}
    for way, ours in outbound.items():
        for one, many in ((ours, inbound[way]), (inbound[way], ours)):
            for j in one:
                common = {k.unit: len(j.containers & k.containers) for k in many if k is not j}
                best = max(common, key=lambda unit: (common[unit], unit), default=None)
                if best and common[best] and 2 * common[best] >= sum(common.values()):
                    other[j.unit, way[0]] = best
    return other
