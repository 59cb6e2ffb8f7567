"""Zone rules as they are usually written over supervision: counters of frames, turned into seconds by the frame rate.

One PolygonZone for each zone and anchor, and for each rule a counter that grows while its condition is true. It alerts
once when the counter passes hold times fps. As usual it is armed again by the first frame on which the condition is
false; with `forgiving` only after the condition was false for more than gap times fps frames, which is more than the
published examples do. Loitering has a counter for each tracker id, so a new id starts from zero.
"""
import numpy as np
import supervision as sv


def seconds(text):
    number = text.rstrip("msh")
    return float(number) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600}[text[len(number):]]


class Counter:
    def __init__(self, hold, gap):
        self.hold, self.gap = hold, gap
        self.true = self.false = 0
        self.alerted = False

    def alerts(self, condition):
        if condition:
            self.true += 1 + (self.false if self.true else 0)
            self.false = 0
            if not self.alerted and self.true > self.hold:
                self.alerted = True
                return True
        else:
            self.false += 1
            if self.false > self.gap:
                self.true, self.alerted = 0, False
        return False


class Rules:
    def __init__(self, plan, size, fps, forgiving=False):
        self.fps, self.size, self.plan, self.zones, self.counters = fps, np.array(size, float), [], {}, {}
        for zone in plan.get("zone", []):
            polygon = (np.array(zone["polygon"]) * self.size).round().astype(int)
            for rule in zone.get("rule", []):
                anchor = sv.Position.CENTER if rule.get("anchor") == "center" else sv.Position.BOTTOM_CENTER
                place = sv.PolygonZone(polygon, triggering_anchors=[anchor])
                place = self.zones.setdefault((zone["id"], anchor), place)
                hold = seconds(rule["dwell"] if rule["kind"] == "loitering" else rule.get("hold", "0s")) * fps
                gap = seconds(rule.get("gap", "2s" if rule["kind"] == "loitering" else "1s")) * fps
                self.plan.append((rule, place, hold, gap if forgiving else 0))

    def update(self, index, tracked):
        """The rules that alert at this picture, with its time in seconds by the frame rate."""
        people = tracked[tracked.tracker_id >= 0] if len(tracked) else tracked
        inside = {id(place): place.trigger(people) if len(people) else np.zeros(0, bool)
                  for place in self.zones.values()}
        events = []
        for rule, place, hold, gap in self.plan:
            here = inside[id(place)]
            if rule["kind"] == "loitering":
                now = {int(i) for i in people.tracker_id[here]} if len(people) else set()
                known = {key[1] for key in self.counters if key[0] == rule["id"]}
                conditions = {(rule["id"], i): i in now for i in now | known}
            else:
                least = rule["people"] if rule["kind"] == "crowd" else 1
                conditions = {(rule["id"], None): int(here.sum()) >= least}
            for key, condition in conditions.items():
                counter = self.counters.setdefault(key, Counter(hold, gap))
                if counter.alerts(condition):
                    events.append((rule["id"], index / self.fps))
                if key[1] is not None and not condition and counter.false > gap:
                    del self.counters[key]
        return events
