"""Rule 4: when a case is infectious."""

from __future__ import annotations

from streams.rules.days import DAY
from streams.rules.policy import Policy


def infectious_window(
    sampled_at: int, onset_at: int | None, isolated_at: int | None, negative_at: int | None, policy: Policy
) -> tuple[int, int]:
    """[start, end) in seconds UTC; empty when end <= start, which is returned as it is so that it can be reported.

    Without an onset, `sampled_at` takes its place at both ends, as in rule 7 and in the rule's source (Công văn
    11042/BYT-DP: two days before the sample of a case without symptoms). A negative test counts only when it is
    later than the sample that was positive.
    """
    origin = onset_at if onset_at is not None else sampled_at
    ends = [origin + policy.after_days * DAY]
    if isolated_at is not None:
        ends.append(isolated_at)
    if negative_at is not None and negative_at > sampled_at:
        ends.append(negative_at)
    return origin - policy.before_days * DAY, min(ends)
