"""Rule 4: when a case is infectious."""

from __future__ import annotations

from tests.reference.messages import Case
from tests.reference.policies import Policy
from tests.reference.spans import Span


def origin(case: Case) -> int:
    """Onset, without one the sample."""
    return case.sampled if case.onset is None else case.onset


def infectious_window(case: Case, policy: Policy) -> Span | None:
    """None: it ends before (or as) it starts, so it is empty."""
    start, end = told_window(case, policy)
    return (start, end) if end > start else None


def told_window(case: Case, policy: Policy) -> Span:
    """The same as `case-status` tells it, also when it is empty."""
    start = origin(case) - policy["case"]["before_days"] * 86400
    ends = [origin(case) + policy["case"]["after_days"] * 86400]
    if case.isolated is not None:
        ends.append(case.isolated)
    if case.negative is not None and case.negative > case.sampled:
        ends.append(case.negative)
    return start, min(ends)
