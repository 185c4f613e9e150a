"""All cases under another policy, on the graph as it is: how many contacts, how much work. Nothing is written."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from console.times import LOCAL
from schemas.exposure import Advice, Exposure
from streams.rules.days import local_day
from streams.state.cases import CaseTable
from streams.steps.evaluate import Evaluator

if TYPE_CHECKING:
    from streams.rules.policy import Policy
    from streams.steps.verdict import Verdict
    from streams.steps.worker import Worker

BANDS = ("high", "medium", "low")


@dataclass
class Figures:
    """Of a case, or of several. `f1` = contacts; `held` = those of them that would wait for a decision, were the case
    reported now; `follow_up` by person, of the others: day of the last contact, and until when; `days` of them all."""

    f1: int = 0
    bands: Counter[str] = field(default_factory=Counter)
    held: int = 0
    follow_up: dict[str, tuple[datetime.date, datetime.date]] = field(default_factory=dict)

    @property
    def days(self) -> int:
        return sum((until - last).days for last, until in self.follow_up.values())

    def add(self, other: Figures) -> None:
        """A person with contacts to several cases is followed up once, to the latest of the dates."""
        self.f1 += other.f1
        self.bands += other.bands
        self.held += other.held
        for person, (last, until) in other.follow_up.items():
            had = self.follow_up.get(person, (last, until))
            self.follow_up[person] = max(had[0], last), max(had[1], until)

    def plain(self) -> dict[str, int]:
        return {
            "f1": self.f1,
            **{band: self.bands[band] for band in BANDS},
            "held": self.held,
            "follow_ups": len(self.follow_up),
            "follow_up_days": self.days,
        }


@dataclass
class Compared:
    """One case. `policy` = the id of today's; `now` = under it, `then` = under the other one."""

    case_id: str
    policy: str
    now: Figures
    then: Figures


async def compare(
    worker: Worker, policy: Policy, first: int, last: int, tell: Callable[[int, int], None] = lambda done, of: None
) -> tuple[list[Compared], int]:
    """Cases that were reported from local day `first` to `last` (numbers, both included), and how many of those are not
    in it, since they are closed: their scans may be gone, so no figure of theirs would be true.

    Both sides are worked out anew, so that nothing but the policy differs between them.
    """
    table = CaseTable()
    await table.refresh(worker.store)
    wanted = sorted(
        case_id
        for case_id, case in table.rows.items()
        if first <= local_day(case.reported_at) <= last and case.status == "confirmed"
    )
    today, other = Evaluator(worker, writes=False), Evaluator(worker, writes=False, policy=policy)
    found, closed = [], 0
    for number, case_id in enumerate(wanted, 1):
        now, then = await today.evaluate(case_id, None), await other.evaluate(case_id, None)
        if now is None or then is None or "closed" in (now.status.state, then.status.state):
            closed += 1
        else:
            found.append(Compared(case_id, now.policy, of_verdict(now), of_verdict(then)))
        tell(number, len(wanted))
    return found, closed


def of_verdict(verdict: Verdict) -> Figures:
    """The figures of one case."""
    exposures = [content for content in verdict.contents.values() if content.level == "F1"]
    held = len(exposures) if verdict.gate.closed(len(exposures)) else 0
    bands = Counter(content.band for content in exposures if content.band)
    return Figures(len(exposures), bands, held, {} if held else _follow_ups(exposures))


def _follow_ups(exposures: Iterable[Exposure]) -> dict[str, tuple[datetime.date, datetime.date]]:
    found = {}
    for exposure in exposures:
        if isinstance(exposure.advice, Advice) and exposure.last_at is not None:
            last = datetime.datetime.fromisoformat(exposure.last_at).astimezone(LOCAL).date()
            found[exposure.person] = last, datetime.date.fromisoformat(exposure.advice.follow_up_until)
    return found


def total(of: Iterable[Figures]) -> Figures:
    found = Figures()
    for figures in of:
        found.add(figures)
    return found
