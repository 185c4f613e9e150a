#!/usr/bin/env python3
"""Is this exposure right? `truyvet explain EXPOSURE_ID --json | python3 verify_explanation.py`, or with a file's name.

Works the exposure out anew from the scans and figures in the explanation: pieces, episodes, minutes, score, band and
dates, by the rules as they are written. Needs nothing but Python 3.11; shares no code with the system it checks.
Ends with 0 (yes), 1 (no, and where it differs), 2 (this is no explanation).
"""

import json
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from fractions import Fraction
from math import floor
from pathlib import Path

VIETNAM = timezone(timedelta(hours=7))


def seconds(text):
    return None if text is None else int(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


def text(second):
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def local_date(second):
    return datetime.fromtimestamp(second, VIETNAM).date()


def counted(scans, limit):
    """Rule 2: a code's day with more than `limit` scans makes no piece. → {(venue, second, out): staff}."""
    all_scans = {(s["code"], s["venue_id"], seconds(s["at"]), s["direction"], s["role"]) for s in scans}
    per_day = {}
    for code, _, second, _, _ in all_scans:
        per_day[code, local_date(second)] = per_day.get((code, local_date(second)), 0) + 1
    found = {}
    for code, venue, second, direction, role in all_scans:
        if per_day[code, local_date(second)] <= limit:
            key = venue, second, direction == "out"
            found[key] = found.get(key, False) or role == "staff"
    return found


def pieces_of(scans, venues, policy):
    """Rule 3 → [(venue, start, end, inferred, conflict, staff)], sorted by start, end, venue."""
    c, found, ended = policy["conflict_seconds"], [], set()
    events = sorted((second, not out, venue, staff) for (venue, second, out), staff in scans.items())

    def t0(venue, t):
        since = t - policy["staff_dwell"]
        return min((s for s, _, v, staff in events if staff and v == venue and since < s <= t), default=None)

    for t, _, venue, _ in [event for event in events if event[1]]:
        figures, first_staff = venues[venue], t0(venue, t)
        end, longest = t + figures["dwell"], figures["max_stay"]
        if first_staff is not None:
            end, longest = max(first_staff + policy["staff_dwell"], end), max(longest, policy["staff_max_stay"])
        same = next(((s, i) for s, i, v, _ in events if v == venue and s > t), None)
        other = next((s for s, _, v, _ in events if v != venue and s >= t + c), None)
        inferred = True
        if same and not same[1] and same[0] - t <= longest and (other is None or same[0] - other < c):
            end, inferred = same[0], False
            ended.add((venue, same[0]))
        else:
            if same and same[1] and same[0] < end:
                end, inferred = same[0], False
            if other is not None and other < end:
                end, inferred = other, True
        conflict = any(i and v != venue and abs(s - t) < c for s, i, v, _ in events)
        found.append((venue, t, end, inferred, conflict, first_staff is not None, True))
    for t, venue in [(s, v) for s, i, v, _ in events if not i and (v, s) not in ended]:
        same_second = [p for p in found if p[6] and p[0] == venue and p[1] == t]
        observed = [1 for p in same_second if (venue, p[2]) in ended and not p[3]]
        if same_second and not observed:
            found.remove(same_second[0])  # an instant visit
            continue
        first_staff = t0(venue, t)
        back = venues[venue]["dwell"]
        back = back if first_staff is None else max(back, policy["staff_dwell"])
        start = max([t - back] + [s for s, _, v, _ in events if s < t and (v == venue or s <= t - c)])
        found.append((venue, start, t, True, False, first_staff is not None, False))
    return sorted((p[:6] for p in found if p[1] < p[2]), key=lambda p: (p[1], p[2], p[0]))


def union(spans):
    merged = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        elif start < end:
            merged.append([start, end])
    return merged


def common(a, b):
    return union([(max(x, s), min(y, e)) for x, y in union(a) for s, e in union(b) if max(x, s) < min(y, e)])


def length(spans):
    return sum(end - start for start, end in union(spans))


def window_of(case, policy):
    """Rule 4."""
    sampled, onset = seconds(case["sampled_at"]), seconds(case["onset_at"])
    origin = sampled if onset is None else onset
    ends = [origin + policy["after_days"] * 86400] + [seconds(case["isolated_at"])] * bool(case["isolated_at"])
    if case["negative_at"] and seconds(case["negative_at"]) > sampled:
        ends.append(seconds(case["negative_at"]))
    return origin, (origin - policy["before_days"] * 86400, min(ends))


def episodes_of(theirs, case, window, venues):
    """Rule 5 → [(start, end, venue, direct spans, inferred, conflict, staff, case_staff)]."""
    k = [(v, max(s, window[0]), min(e, window[1]), *flags) for v, s, e, *flags in case]
    k = [p for p in k if p[1] < p[2]]
    found = []
    for venue in {p[0] for p in theirs} & {p[0] for p in k}:
        mine, his = [p for p in theirs if p[0] == venue], [p for p in k if p[0] == venue]
        risky = [(p[0], p[1], p[2] + venues[venue]["linger"], *p[3:]) for p in his]
        for start, end in common([p[1:3] for p in mine], [p[1:3] for p in risky]):
            direct = common(common([p[1:3] for p in mine], [p[1:3] for p in his]), [(start, end)])
            a = [p for p in mine if p[1] < end and p[2] > start]
            b = [p for p in risky if p[1] < end and p[2] > start]
            flags = [any(p[i] for p in a + b) for i in (3, 4)] + [any(p[5] for p in a), any(p[5] for p in b)]
            found.append((start, end, venue, direct, *flags))
    return sorted(found)


def exposure_of(told):
    """What the rules make of the scans, name by name."""
    policy, venues = told["policy"], told["venues"]
    limit = policy["shared_code_limit"]
    case, contact = (pieces_of(counted(told["scans"][who], limit), venues, policy) for who in ("case", "contact"))
    origin, window = window_of(told["case"], policy)
    episodes = episodes_of(contact, case, window, venues)
    within = policy["within_hours"] * 3600
    near = [[e[:2] for e in episodes if s[0] <= e[0] < s[0] + within] for s in episodes]
    reached = any(length(spans) >= policy["min_minutes"] * 60 for spans in near)
    total, direct = length([e[:2] for e in episodes]), length([s for e in episodes for s in e[3]])
    parts, score = [], Fraction(0)
    for number, (start, end, venue, spans, *_) in enumerate(episodes):
        day, beside = (start - origin) // 86400, length(spans)
        weight = Fraction(policy["infectiousness"].get(str(day), policy["infectiousness_default"]))
        setting = Fraction(venues[venue]["setting"])
        points = Fraction(2 * beside + (end - start - beside), 120) * weight * setting
        score += points
        parts.append({"episode": number, "direct_seconds": beside, "indirect_seconds": end - start - beside,
                      "infectiousness": float(weight), "setting": float(setting), "points": float(points)})  # fmt: skip
    score = Fraction(floor(score * 100 + Fraction(1, 2)), 100)
    high, medium = Fraction(policy["band_high"]), Fraction(policy["band_medium"])
    yield "reaches the threshold", reached
    yield "pieces", [[[p[0], text(p[1]), text(p[2]), *p[3:]] for p in side] for side in (case, contact)]
    yield "window", [text(window[0]), text(window[1])]
    yield "episodes", [{
        "venue_id": venue, "venue_type": venues[venue]["type"], "start": text(start), "end": text(end),
        "direct_seconds": length(spans), "indirect_seconds": end - start - length(spans), "inferred": inferred,
        "conflict": conflict, "role": "staff" if staff else "visitor", "case_role": "staff" if his else "visitor",
    } for start, end, venue, spans, inferred, conflict, staff, his in episodes]  # fmt: skip
    yield "minutes", [total // 60, direct // 60, (total - direct) // 60]
    yield "first and last", [text(episodes[0][0]), text(episodes[-1][1])] if episodes else None
    yield "score", [parts, float(score), "high" if score >= high else "medium" if score >= medium else "low"]
    if episodes:
        first, last, shot = local_date(episodes[0][0]), local_date(episodes[-1][1]), told["vaccination"]
        settled = shot and shot["doses"] == 2 and date.fromisoformat(shot["last_dose_on"]) + timedelta(14) <= first
        days = policy["follow_up_vaccinated" if shot and (shot["doses"] >= 3 or settled) else "follow_up"]
        yield "dates", [(last + timedelta(n)).isoformat() for n in (days, policy["test_on"])]


def said_by(told):
    """The same, as the explanation has it."""
    said = told["exposure"]
    yield "reaches the threshold", True
    names = "venue_id", "start", "end", "inferred", "conflict", "staff"
    yield "pieces", [[[p[name] for name in names] for p in told["pieces"][who]] for who in ("case", "contact")]
    yield "window", [told["window"]["start"], told["window"]["end"]]
    yield "episodes", said["episodes"]
    yield "minutes", [said[name] for name in ("minutes", "direct_minutes", "indirect_minutes")]
    yield "first and last", [said["first_at"], said["last_at"]]
    yield "score", [said["score_parts"], said["score"], said["band"]]
    yield "dates", [said["advice"]["follow_up_until"], said["advice"]["test_on"]]


def main():
    try:
        told = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8") if sys.argv[1:] else sys.stdin.read())
        said, found = dict(said_by(told)), dict(exposure_of(told))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        print(f"this is no explanation of an exposure: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    wrong = [name for name in said if said[name] != found.get(name)]
    for name in wrong:
        print(f"{name}: the explanation says {said[name]}, the rules make {found.get(name)}")
    print("no" if wrong else "yes")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
