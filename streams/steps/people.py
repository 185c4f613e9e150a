"""The step behind `people`: links, erasures and holds as facts; vaccinations, tests, employments as what was said last.

Write, then look: what is said is written first, then the watch marks of everybody whom it can concern are read, and the
cases that watch them are asked to look again. An evaluation marks first and reads what was said then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from schemas.audit import Action
from schemas.decoding import Problem, decode_person
from schemas.person import Employ, Erase, Hold, Link, Test, Unhold, Unlink, Vaccination
from streams.ports import Message
from streams.rules.codes import pseudonym_text
from streams.state import said
from streams.state.graph import read_marks, read_persons
from streams.state.layout import OWN, tokens_of
from streams.state.people import ERASE, HOLD, LINK, UNHOLD, UNLINK, row_key
from streams.state.said import EmploymentRow, TestRow, VaccinationRow
from streams.state.shards import read_days
from streams.state.shelf import Shelf
from streams.steps.erase import Eraser
from streams.steps.onrecord import on_record
from streams.steps.registry import RegistryStep
from streams.steps.triggers import Triggers
from streams.steps.winners import change_all, win_all
from streams.steps.worker import Worker

FACT = b"1"
Fact = Link | Unlink | Erase | Hold | Unhold
Saying = Vaccination | Test | Employ
Rows = Callable[[bytes], Sequence[Any]]


class People(RegistryStep):
    SLICE = 500

    def __init__(self, worker: Worker) -> None:
        super().__init__(worker)
        self._eraser = Eraser(worker)

    async def _take_all(
        self, messages: Sequence[Message], topic: str, triggers: Triggers, alive: Callable[[], None]
    ) -> list[Problem | None]:
        """Facts one by one; then what was said of persons, of all of them together: a province sends a vaccination or
        an employment of each of its people, and at a dozen round trips for each that took an hour."""
        decoded = [decode_person(message.value, message.headers) for message in messages]
        said_now = []
        for message, found in zip(messages, decoded, strict=True):
            if isinstance(found, Vaccination | Test | Employ):
                said_now.append((message, found))
            elif found is not None and not isinstance(found, Problem):
                await self._take_fact(found, triggers)
                alive()
        if said_now:
            await self._take_sayings(said_now, topic, triggers)
            alive()
        return [found if isinstance(found, Problem) else None for found in decoded]

    async def _take_fact(self, said_of: Fact, triggers: Triggers) -> None:
        person = await self._person(said_of.code, said_of.at)
        match said_of:
            case Link():
                other = await self._person(said_of.same_as, said_of.at)
                first, second = sorted((person, other))
                await self._fact(row_key(LINK, first, second, said_of.at))
            case Unlink():
                await self._fact(row_key(UNLINK, person, said_of.at))
            case Hold():
                await self._recorded("hold", row_key(HOLD, person, self._ground(said_of.ground), said_of.at), said_of)
            case Unhold():
                key = row_key(UNHOLD, person, self._ground(said_of.ground), said_of.at)
                await self._recorded("hold", key, said_of)
            case Erase():
                await self._recorded("erase", row_key(ERASE, person, said_of.at), said_of)
        await self._look([person], triggers)
        if isinstance(said_of, Link):
            await self._look_where_they_were(person, triggers)
        # Also for a link: it can bring a code under an erasure that was said of another.
        await self._destroy([person])

    async def _take_sayings(self, said_now: Sequence[tuple[Message, Saying]], topic: str, triggers: Triggers) -> None:
        persons = await self._persons([(said_of.code, said_of.at) for _, said_of in said_now])
        vaccinations: dict[bytes, list[tuple[VaccinationRow, bytes]]] = {}
        tests: dict[bytes, list[TestRow]] = {}
        jobs: dict[bytes, list[EmploymentRow]] = {}
        for (message, said_of), person in zip(said_now, persons, strict=True):
            match said_of:
                case Vaccination():
                    found = self._vaccination(said_of, message, topic), message.value or b""
                    vaccinations.setdefault(person, []).append(found)
                case Test():
                    test = TestRow(said_of.sampled_at, said_of.result, said_of.kind or "", said_of.lab or "")
                    tests.setdefault(person, []).append(test)
                case Employ():
                    last = said_of.to.toordinal() if said_of.to is not None else 0
                    job = EmploymentRow(said_of.organisation, said_of.from_.toordinal(), last, said_of.at)
                    jobs.setdefault(person, []).append(job)
        store, log = self.worker.store, self.worker.log
        await win_all(store, log, said.VACCINATIONS, vaccinations, said.encode, said.vaccination_row)
        await self._announce_all("vaccination", said.VACCINATIONS, vaccinations)
        await self._more(said.TESTS, "test", tests, said.test_rows)
        await self._more(said.EMPLOYMENTS, "employ", jobs, said.employment_rows)
        await self._look(persons, triggers)
        await self._destroy(persons)

    @staticmethod
    def _ground(text: str) -> bytes:
        """A ground is words, and a row's key is split at blanks."""
        return text.encode()

    async def _fact(self, key: str) -> None:
        await self.worker.people.put(self.worker.store, key, b"", FACT)
        await self._announce("people", self.worker.people, key)

    async def _recorded(self, action: Action, key: str, said_of: Hold | Unhold | Erase) -> None:
        """A fact that is on record before it counts: no audit, no answer. One that is known is on record already."""
        people = self.worker.people
        await people.refresh(self.worker.store)
        if key not in people.rows:
            person = bytes.fromhex(key.split(" ")[1])
            refused = isinstance(said_of, Erase) and people.on_hold(person, said_of.at)
            await on_record(
                self.worker,
                action,
                pseudonym_text(person),
                f"`{type(said_of).__name__.lower()}` on `people`",
                by=said_of.by,
                outcome="refused" if refused else "done",
            )
        await self._fact(key)

    def _vaccination(self, said_of: Vaccination, message: Message, topic: str) -> VaccinationRow:
        last = said_of.last_dose_on.toordinal() if said_of.last_dose_on is not None else None
        digest, origin = self._digest(message.value or b""), self._origin(message, topic)
        return VaccinationRow(said_of.updated_at, digest, origin, said_of.doses, last, said_of.at)

    async def _more(self, shelf: Shelf, kind: str, new: Mapping[bytes, Sequence[Any]], decode: Rows) -> None:
        """A set of rows a person: they all count."""

        async def joined(row: bytes, more: Sequence[Any]) -> bytes:
            return said.encode(sorted({*(decode(row) if row else ()), *more}))

        await change_all(self.worker.store, shelf, new, joined)
        await self._announce_all(kind, shelf, new)

    async def _look(self, persons: Iterable[bytes], triggers: Triggers) -> None:
        """Whoever watches one of the codes that are or were these persons' must look again."""
        worker = self.worker
        await worker.people.refresh(worker.store)
        concerned = {code[:8]: code for person in persons for code in sorted(worker.people.ever(person))}
        marks = await read_marks(worker.store, concerned.values())
        if not marks:
            return
        await worker.spans.refresh(worker.store)
        for token, of in marks.items():
            for mark in of:
                case_id = worker.spans.every_case_of_token.get(mark.case)
                if case_id is None:
                    continue
                if mark.kind == OWN:
                    triggers.everybody(case_id)
                else:
                    triggers.person(case_id, pseudonym_text(concerned[token]))

    async def _destroy(self, persons: Iterable[bytes]) -> None:
        """What is erased of them, and came late."""
        people = self.worker.people
        if people.any_erased:
            await self._eraser.destroy(sorted({code for person in persons for code in people.ever(person)}))

    async def _look_where_they_were(self, person: bytes, triggers: Triggers) -> None:
        """Cases at whose places one of the codes was. An in of one code and an out of another, of no account before,
        are one stay from now on; and a case that saw no contact in either watches neither (presumed.py).

        A scan that is not read here comes later than the link, and is reported by the ingest.
        """
        worker = self.worker
        codes = sorted(worker.people.ever(person))
        days = np.array(sorted(await read_days(worker.store)), np.int64)
        if not len(days):
            return
        owner = np.repeat(tokens_of(b"".join(code[:8] for code in codes)), len(days))
        records = await read_persons(worker.store, owner, np.tile(days, len(codes)))
        await worker.spans.refresh(worker.store)
        for at, case_id in worker.spans.hits(records.other, records.second):
            triggers.person(case_id, pseudonym_text(codes[int(records.owner[at]) // len(days)]))
