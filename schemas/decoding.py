"""From the bytes of a record to checked messages, or to the reason why not (rule 1: `not_json`, then `schema`).

One place to import from; the work is done beside each message (scan.py, venue.py, …), by reading.py and batches.py.
"""

from __future__ import annotations

from schemas.batches import decode_scan_records
from schemas.case import decode_case
from schemas.columns import ScanColumns
from schemas.combine import decode_combine
from schemas.coverage import decode_coverage
from schemas.decision import decode_decision
from schemas.evaluate import decode_evaluate
from schemas.gateway import decode_gateway
from schemas.grammar import element
from schemas.organisation import decode_organisation
from schemas.person import decode_person
from schemas.policy import decode_policy
from schemas.problem import Problem
from schemas.scan import MAX_BATCH, decode_scans
from schemas.venue import decode_venue

__all__ = [
    "MAX_BATCH",
    "Problem",
    "ScanColumns",
    "decode_case",
    "decode_combine",
    "decode_coverage",
    "decode_decision",
    "decode_evaluate",
    "decode_gateway",
    "decode_organisation",
    "decode_person",
    "decode_policy",
    "decode_scan_records",
    "decode_scans",
    "decode_venue",
    "element",
]
