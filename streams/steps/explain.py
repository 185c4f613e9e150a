"""Why an exposure is what it is: scans → pieces → episodes → score, each step with its rule. Reads only.

The JSON holds all that is needed to work the exposure out again without this system: tools/verify_explanation.py.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
import numpy as np

from schemas.exposure import Exposure
from schemas.times import format_time, parse_time
from streams.rules import told
from streams.rules.codes import exposure_id, pseudonym_digest, pseudonym_text
from streams.rules.days import local_day
from streams.rules.distinct import distinct
from streams.rules.policy import Policy
from streams.state.cases import CaseRow
from streams.state.layout import token_bytes, tokens_of
from streams.state.people import representative
from streams.state.said import EXPOSURE_OF
from streams.steps.contacts import PersonDays, Scene
from streams.steps.contents import contents
from streams.steps.evaluate import Evaluator
from streams.steps.facts import known_of
from streams.steps.reading import CaseChanged, Found, Looked
from streams.steps.worker import Worker

PATH = ("revision", "status", "issued_at")
_OF_WINDOW = (("isolated_at", "isolation"), ("negative_at", "a negative test"))


class NoExposure(Exception):
    """There is nothing to explain; the text says why."""


class _Side(NamedTuple):
    """Scans of one person as the rules have them, and how many were left out before."""

    scans: list[dict[str, Any]]
    counted: list[told.Scan]
    left_out: dict[str, int]


class _Explaining(Evaluator):
    def __init__(self, worker: Worker) -> None:
        super().__init__(worker, writes=False)

    async def explain(self, id_: str) -> dict[str, Any]:
        row = await EXPOSURE_OF.read(self.worker.store, bytes.fromhex(id_))
        if not row:
            raise NoExposure(f"no exposure {id_} was ever made")
        case_id, code = msgspec.msgpack.decode(row, type=tuple[str, bytes])
        for last in (False, False, False, True):
            try:
                case = await self._case_row(case_id)
                assert case is not None  # an exposure of it was made, and cases are not forgotten before exposures
                person = representative(self.worker.people.codes_of(code))
                if person != code:
                    now = exposure_id(case_id, pseudonym_text(person))
                    raise NoExposure(f"its codes were linked, and it goes by {now} now")
                return await self._explain(case, person)
            except CaseChanged:
                if last:
                    raise NoExposure("it changes faster than it can be explained; ask again") from None
        raise AssertionError

    async def _explain(self, case: CaseRow, person: bytes) -> dict[str, Any]:
        worker = self.worker
        looked = await self._look(case, set(worker.people.ever(person)), await worker.now())
        found, policy = looked.found, looked.policy
        if found is None:
            why = "its infectious window is empty" if looked.state == "open" else f"it is {looked.state}"
            raise NoExposure(f"case {case.case_id} has no exposures: {why}")
        known = await known_of(worker, case.case_id, [p for p in found.persons if p], writes=False)
        places = self._places(found.at, found.names)
        content = contents(case, found.table, policy, found.persons, places, known).get(person)
        if content is None:
            text = "the time that they shared does not reach the threshold of F1 (rule 5)"
            raise NoExposure(text + ("; F2 are explained by `truyvet f2`" if policy.publish_f2 else ""))
        his = await self._side(found.own, pseudonym_digest(case.person), policy)
        theirs = await self._side(found.wanted, person, policy)
        shot = known.vaccinations.get(person)
        return {
            "exposure_id": content.exposure_id,
            "case": _case(case, representative(worker.people.codes_of(pseudonym_digest(case.person)))),
            "contact": {"person": content.person},
            "policy": _figures(policy),
            "venues": self._venues(found, policy),
            "scans": {"case": his.scans, "contact": theirs.scans},
            "left_out": {"case": his.left_out, "contact": theirs.left_out},
            "pieces": {
                "case": self._pieces(his, found.scene, policy, found.names, None),
                "contact": self._pieces(theirs, found.others, policy, found.names, person),
            },
            "window": _window(looked),
            "threshold": _threshold(content, policy),
            "vaccination": {"doses": shot.doses, "last_dose_on": shot.last_dose_on.isoformat()} if shot else None,
            "decision": content.certainty,
            "exposure": {k: v for k, v in msgspec.to_builtins(content).items() if k not in PATH},
        }

    async def _side(self, days: PersonDays, person: bytes, policy: Policy) -> _Side:
        """What was scanned of all codes of a person on the days read, voids and erased ones apart."""
        worker = self.worker
        codes = {code[:8]: pseudonym_text(code) for code in worker.people.codes_of(person)}
        mine = np.isin(days.person, tokens_of(b"".join(sorted(codes))))
        owner, day = days.person[mine], days.day[mine]
        records = await self._read(owner, day)
        names = await self._venue_names(distinct(records.other))
        token = owner[records.owner]
        erased = records.second <= worker.people.erased_until(token)
        columns = (records.second, records.out, records.staff, records.void, erased)
        found: dict[tuple[str, int, str, bool, bool], bool] = {}
        for code, venue, second, out, staff, void, gone in zip(
            map(bytes, token_bytes(token)),
            map(bytes, token_bytes(records.other)),
            *(column.tolist() for column in columns),
            strict=True,
        ):
            if not gone:
                key = codes[code], second, names[venue], out, staff
                found[key] = found.get(key, False) or void
        per_day: dict[tuple[str, int], int] = {}
        standing = sorted((key for key, void in found.items() if not void), key=lambda key: (key[1], not key[3], key))
        for code_text, second, *_ in standing:
            place = code_text, local_day(second)
            per_day[place] = per_day.get(place, 0) + 1
        scans, counted = [], []
        for code_text, second, venue_id, out, staff in standing:
            shared = per_day[code_text, local_day(second)] > policy.shared_code_limit
            scans.append(
                {
                    "code": code_text,
                    "venue_id": venue_id,
                    "at": format_time(second),
                    "direction": "out" if out else "in",
                    "role": "staff" if staff else "visitor",
                    "left_out": "shared card (rule 2)" if shared else None,
                }
            )
            if not shared:
                counted.append(told.Scan(second, not out, venue_id, staff))
        left_out = {"voided": len(found) - len(standing), "shared_card": len(scans) - len(counted)}
        return _Side(scans, counted, left_out)

    def _pieces(
        self, side: _Side, scene: Scene, policy: Policy, names: dict[bytes, str], person: bytes | None
    ) -> list[dict[str, Any]]:
        ids = [names.get(bytes(token), "") for token in token_bytes(scene.venues)]
        pairs = zip(scene.figures.dwell.tolist(), scene.figures.max_stay.tolist(), strict=True)
        figures = {id_: told.Figures(*pair) for id_, pair in zip(ids, pairs, strict=True)}
        pieces = told.told(side.counted, figures, policy)
        table = scene.pieces
        if person is not None:
            token = tokens_of(person[:8])
            table = table.take(np.isin(scene.persons[table.person], token))
        columns = (table.start, table.end, table.inferred, table.conflict, table.staff)
        judged = sorted(zip(*(c.tolist() for c in columns), (ids[v] for v in table.venue.tolist()), strict=True))
        if sorted((p.start, p.end, p.inferred, p.conflict, p.staff, p.venue) for p in pieces) != judged:
            # Scans came in between: one of the two readings has them.
            raise CaseChanged
        return [
            {
                "venue_id": p.venue,
                "start": format_time(p.start),
                "end": format_time(p.end),
                "inferred": p.inferred,
                "conflict": p.conflict,
                "staff": p.staff,
                "rule": list(p.steps),
                "because": p.because,
            }
            for p in pieces
        ]

    def _venues(self, found: Found, policy: Policy) -> dict[str, dict[str, Any]]:
        """Figures of every venue in the explanation, seconds; the weight of its setting as an exact fraction."""
        told_of = {}
        for scene in (found.scene, found.others):
            places = self._places(scene.venues, found.names)
            f = scene.figures
            for i, (venue_id, kind) in enumerate(places):
                told_of[venue_id] = {
                    "type": kind,
                    "dwell": int(f.dwell[i]),
                    "max_stay": int(f.max_stay[i]),
                    "linger": int(f.linger[i]),
                    "setting": str(policy.venue_type(kind).setting),
                }
        return told_of


def _case(case: CaseRow, person: bytes) -> dict[str, Any]:
    times = ("sampled_at", "onset_at", "isolated_at", "negative_at", "reported_at")
    told_of = {name: getattr(case, name) for name in times}
    return {
        "case_id": case.case_id,
        "person": pseudonym_text(person),
        **{name: None if second is None else format_time(second) for name, second in told_of.items()},
    }


def _figures(policy: Policy) -> dict[str, Any]:
    """Those that decide about an exposure; seconds where the rules add them to times, fractions exact."""
    names = ("conflict_seconds", "shared_code_limit", "before_days", "after_days", "min_minutes", "within_hours")
    more = ("staff_dwell", "staff_max_stay", "follow_up", "follow_up_vaccinated", "test_on")
    return {
        "id": policy.id,
        **{name: getattr(policy, name) for name in names + more},
        "infectiousness": {str(day): str(weight) for day, weight in sorted(policy.infectiousness.items())},
        "infectiousness_default": str(policy.infectiousness_default),
        "band_high": str(policy.band_high),
        "band_medium": str(policy.band_medium),
    }


def _window(looked: Looked) -> dict[str, Any]:
    case, (begin, end) = looked.case, looked.window
    origin = "onset" if case.onset_at is not None else "sample"
    ended = [words for name, words in _OF_WINDOW if getattr(case, name) == end]
    why = ended[0] if ended else f"{looked.policy.after_days} days after {origin}"
    return {
        "start": format_time(begin),
        "end": format_time(end),
        "rule": "4",
        "because": f"from {looked.policy.before_days} days before {origin} to {why}",
    }


def _threshold(content: Exposure, policy: Policy) -> dict[str, Any]:
    """The first span of `within_hours` whose episodes made this an F1 (rule 5)."""
    spans = [(parse_time(e.start) // 1000, parse_time(e.end) // 1000) for e in content.episodes or ()]
    within, needed = policy.within_hours * 3600, policy.min_minutes * 60
    for first, _ in spans:
        total, reached = 0, first
        for start, end in sorted(span for span in spans if first <= span[0] < first + within):
            total += max(0, end - max(start, reached))
            reached = max(reached, end)
        if total >= needed:
            end_at = format_time(first + within)
            return {"start": format_time(first), "end": end_at, "seconds": total, "needed": needed, "rule": "5"}
    raise AssertionError("rules.exposure says F1, and no span of its episodes reaches the threshold")


async def explain(worker: Worker, exposure_id_: str) -> dict[str, Any]:
    """The explanation of an exposure as it is now, ready for JSON. Times in UTC, persons as pseudonyms.

    Raises NoExposure; StoreDown, StoreChanged. Nothing is written.
    """
    return await _Explaining(worker).explain(exposure_id_)
