"""What a worker does to somebody's data, or lets a decision do, is a line in the audit log first (rule 10).

The line is written by the step that takes the message in, not by the command that sent it: so a message that a desk's
own program put on Kafka is on record like any other, and none is on record twice. The step looks first whether it knows
the message: delivered again (also by a rebuild) it leaves no second line. Two leave one too many, since a line too few
would be the worse fault: a worker that dies between the line and what it speaks of, and a decision that lost against a
newer one, of which nothing else is kept.
"""

from __future__ import annotations

from schemas.audit import Action, Outcome
from streams.rules.auditchain import holds_code
from streams.steps.worker import Worker

WITHHELD = "withheld: it looked like a personal code"


async def on_record(
    worker: Worker,
    action: Action,
    subject: str,
    reason: str,
    *,
    by: str,
    outcome: Outcome = "done",
    case_id: str | None = None,
) -> None:
    """Returns when the line is kept, else raises NotAudited. `by` as the message has it: where somebody typed a
    telephone number there, the log says so instead, since a message must not be able to stop the step."""
    if worker.auditor is None:
        return
    who = WITHHELD if holds_code(by) else by
    await worker.auditor.write(action, by=who, subject=subject, reason=reason, outcome=outcome, case_id=case_id)
