"""Erasing a person (rule 10): the scans go, the vault's entry is destroyed, and that it was done is on record.

That erased scans never count again does not hang on this file: whoever reads scans leaves them out by the facts of
`streams/state/people.py`. Here they are destroyed, so that they cannot be read again either.
"""

from __future__ import annotations

from collections.abc import Iterable

from streams.state import vault
from streams.state.erasing import erase
from streams.state.layout import tokens_of
from streams.steps.worker import Worker


class Eraser:
    def __init__(self, worker: Worker) -> None:
        self.worker = worker

    async def destroy(self, persons: Iterable[bytes]) -> None:
        """Destroy what erasures reach of these persons' codes (pseudonyms). Again changes nothing."""
        worker = self.worker
        codes = [code for code in persons if worker.people.is_erased(code)]
        if not codes:
            return
        until = worker.people.erased_until(tokens_of(b"".join(code[:8] for code in codes))).tolist()
        reach = dict(zip(codes, until, strict=True))
        later = await erase(worker.store, {code[:8]: second for code, second in reach.items()})
        # Who was scanned since is not reached by it, and may have to be called. A scan that is written from here on
        # finds the erasure, and brings its code along (Ingest).
        await vault.forget(worker.store, {code: second for code, second in reach.items() if code[:8] not in later})
