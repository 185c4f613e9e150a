"""From the bytes of a record to checked messages, or to the reason why not (rule 1: `not_json`, then `schema`).

One place to import from; the work is done beside each message (scan.py, venue.py, …), by reading.py and batches.py.
"""

from __future__ import annotations

from schemas.batches import decode_scan_records
from schemas.case import decode_case
from schemas.columns import ScanColumns
from schemas.grammar import element
from schemas.problem import Problem
from schemas.scan import MAX_BATCH, decode_scans
from schemas.venue import decode_venue

__all__ = [
    "MAX_BATCH",
    "Problem",
    "ScanColumns",
    "decode_case",
    "decode_scan_records",
    "decode_scans",
    "decode_venue",
    "element",
]
