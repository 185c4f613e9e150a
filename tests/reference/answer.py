"""A set of records → what must stand. The order of the records, and how often each came, is no part of it (rule 0)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from tests.reference import messages
from tests.reference.acceptance import Accepted, Fact, accepted_scans
from tests.reference.codes import canonical, exposure_id, pseudonym
from tests.reference.exposure import Episode, cut, episodes_of, reaches_threshold, times_of
from tests.reference.fields import time_text
from tests.reference.messages import Area, Case, Decision, Organisation, PeopleRecord, Venue
from tests.reference.people import erased, person_of, standing_links, without_shared_cards
from tests.reference.pieces import Figures, Piece, Scan, figures_of, pieces_of
from tests.reference.policies import Policy, exact, policy_of_time
from tests.reference.records import InputRecord, of_topic
from tests.reference.score import advice, band, half_up, parts_of
from tests.reference.spans import Span
from tests.reference.window import infectious_window, origin
from tests.reference.winners import own_key, read_registry


class Expected(NamedTuple):
    """`exposures`: id → content as in `exposures`, without revision, status and issued_at, without fields that are
    null. `rejects`: topic/partition/offset/index → reason."""

    exposures: dict[str, dict[str, Any]]
    rejects: dict[str, str]


class World:
    """What the records say, and what follows for each case."""

    def __init__(
        self, records: Iterable[InputRecord], key: bytes, policies: Sequence[Policy], retention_days: int | None
    ) -> None:
        records = list(records)
        self.key, self.policies = key, policies
        self.rejects: dict[str, str] = {}

        def registry(topic: str, name: str, read: Any, of: Any) -> dict[Any, Any]:
            return read_registry(of_topic(records, topic), name, read, of, self.rejects)

        self.venues: dict[str, Venue] = registry("venues", "venue", messages.venue_of, lambda m, _r: m.venue)
        self.cases: dict[str, Case] = registry("cases", "case", messages.case_of, lambda m, _r: m.case)
        self.organisations: dict[str, Organisation] = registry(
            "organisations", "organisation", messages.organisation_of, lambda m, _r: m.organisation
        )
        self.areas: dict[str, Area] = registry("coverage", "coverage", messages.area_of, lambda m, _r: m.area)
        gateways = registry("gateways", "gateway", messages.gateway_of, lambda m, _r: m.gateway)
        people = registry("people", "people", messages.people_of, lambda _m, r: own_key(r))
        decisions = registry("decisions", "decision", messages.decision_of, lambda _m, r: own_key(r))
        self.people: list[PeopleRecord] = list(people.values())
        self.decisions: list[Decision] = list(decisions.values())
        # The highest timestamp of all records of scans, in seconds: the "now" of whatever counts who is inside.
        self.newest = max((record.timestamp for record in of_topic(records, "scans")), default=0) // 1000
        self.links = standing_links(self.people)
        self._linked = {code for link in self.links for code in link}
        self.accepted: Accepted = accepted_scans(
            of_topic(records, "scans"), policies, retention_days, gateways, self.rejects
        )
        self.scans: set[Fact] = self.accepted.scans - erased(self.accepted.scans, self.people)
        # A world does not change, so each of these is worked out once (by code, by the policy's id).
        self._persons: dict[str, str] = {}
        self._codes: dict[str, set[str]] = {}
        self._figures: dict[str, dict[str, Figures]] = {}
        self._pieces: dict[str, dict[str, list[Piece]]] = {}
        self._visitors: dict[str, dict[str, set[str]]] = {}

    def person(self, code: str) -> str:
        """The pseudonym by which the person of a canonical code goes."""
        if code not in self._persons:
            links = self.links if code in self._linked else ()
            self._persons[code] = person_of(code, links, self.key)
        return self._persons[code]

    def policy(self, case: Case) -> Policy:
        return policy_of_time(self.policies, case.reported)

    def figures(self, policy: Policy) -> dict[str, Figures]:
        if policy["id"] not in self._figures:
            venues = {scan.venue for scan in self.scans}
            self._figures[policy["id"]] = {venue: figures_of(venue, self.venues, policy) for venue in venues}
        return self._figures[policy["id"]]

    def pieces(self, policy: Policy) -> dict[str, list[Piece]]:
        """Person (pseudonym) → pieces."""
        if policy["id"] not in self._pieces:
            scans: dict[str, set[Scan]] = {}
            for fact in without_shared_cards(self.scans, policy["scan"]["shared_code_limit"]):
                scans.setdefault(self.person(fact.code), set()).add(Scan(*fact[1:]))
            self._pieces[policy["id"]] = {p: pieces_of(those, self.venues, policy) for p, those in scans.items()}
        return self._pieces[policy["id"]]

    def visitors(self, policy: Policy) -> dict[str, set[str]]:
        """Venue → persons who have a piece there: nobody else can meet anybody there."""
        if policy["id"] not in self._visitors:
            found: dict[str, set[str]] = {}
            for person, pieces in self.pieces(policy).items():
                for piece in pieces:
                    found.setdefault(piece.venue, set()).add(person)
            self._visitors[policy["id"]] = found
        return self._visitors[policy["id"]]

    def f1(self, case: Case) -> dict[str, list[Episode]]:
        """Rule 5: person → episodes of everybody who is F1 of this case."""
        policy = self.policy(case)
        window = infectious_window(case, policy)
        if case.status != "confirmed" or window is None:
            return {}
        return self.exposed_to(self.person(canonical(case.person)), window, policy)

    def exposed_to(self, person: str, window: Span, policy: Policy) -> dict[str, list[Episode]]:
        """Everybody else whose exposure to this person within the window reaches the threshold."""
        pieces, figures = self.pieces(policy), self.figures(policy)
        k = cut(pieces.get(person, ()), window)
        found = {}
        for other in sorted(set().union(*(self.visitors(policy)[piece.venue] for piece in k))):
            episodes = episodes_of(pieces[other], k, figures)
            if other != person and reaches_threshold(episodes, policy):
                found[other] = episodes
        return found

    def codes_of(self, person: str) -> set[str]:
        """The canonical codes, among all that were read or linked, of whoever goes by this pseudonym."""
        if not self._codes:
            for code in {scan.code for scan in self.accepted.scans} | {code for link in self.links for code in link}:
                self._codes.setdefault(self.person(code), set()).add(code)
        return self._codes.get(person, set())

    def certainty(self, case: str, person: str) -> str:
        """Rule 8: the newest decision on an exposure; at a tie the greater word, as nothing else is said.

        Nor is said what becomes of a decision on a code that was linked later. "Links take effect on all that is kept"
        (rule 2), so a decision on the exposure of any code of the person counts.
        """
        ids = {exposure_id(case, pseudonym(code, self.key)) for code in self.codes_of(person)}
        mine = [d for d in self.decisions if d.of in ids and d.decision in ("confirm", "dismiss")]
        if not mine:
            return "co-presence"
        return {"confirm": "confirmed", "dismiss": "dismissed"}[max(mine, key=lambda d: (d.at, d.decision)).decision]

    def vaccinations(self, person: str) -> list[PeopleRecord]:
        return [p for p in self.people if p.op == "vaccination" and self.person(canonical(p.code)) == person]

    def content(self, case: Case, person: str, episodes: list[Episode]) -> dict[str, Any]:
        """messages.md, `exposures`: the record of one F1."""
        policy = self.policy(case)
        types = {episode.venue: self.figures(policy)[episode.venue].type for episode in episodes}
        times = times_of(episodes)
        parts = parts_of(episodes, types, origin(case), policy)
        score = half_up(sum((points for _, _, points in parts), exact(0)))
        identity = exposure_id(case.case, person)
        return {
            "exposure_id": identity,
            "case_id": case.case,
            "person": person,
            "level": "F1",
            "minutes": times.total // 60,
            "direct_minutes": times.direct // 60,
            "indirect_minutes": times.indirect // 60,
            "first_at": time_text(episodes[0].start),
            "last_at": time_text(episodes[-1].end),
            "episodes": [
                {
                    "venue_id": episode.venue,
                    "venue_type": types[episode.venue],
                    "start": time_text(episode.start),
                    "end": time_text(episode.end),
                    "direct_seconds": episode.direct_seconds,
                    "indirect_seconds": episode.indirect_seconds,
                    "inferred": episode.inferred,
                    "conflict": episode.conflict,
                    "role": "staff" if episode.staff else "visitor",
                    "case_role": "staff" if episode.case_staff else "visitor",
                }
                for episode in episodes
            ],
            "score": score,
            "band": band(score, policy),
            "score_parts": [
                {
                    "episode": at,
                    "direct_seconds": episode.direct_seconds,
                    "indirect_seconds": episode.indirect_seconds,
                    "infectiousness": float(how),
                    "setting": float(where),
                    "points": float(
                        points
                    ),  # not rounded (rule 7 rounds the score only), so that the parts make the score
                }
                for at, (episode, (how, where, points)) in enumerate(zip(episodes, parts, strict=True))
            ],
            "advice": advice(episodes[0].start, episodes[-1].end, self.vaccinations(person), policy),
            "policy": policy["id"],
            "certainty": self.certainty(case.case, person),
        }

    def exposures(self) -> dict[str, dict[str, Any]]:
        """Id → content of every exposure that stands or is held."""
        found = {}
        for case in self.cases.values():
            for person, episodes in self.f1(case).items():
                content = self.content(case, person, episodes)
                found[content["exposure_id"]] = content
        return found


def expected(
    records: Iterable[InputRecord], key: bytes, policies: Sequence[Policy], retention_days: int | None = None
) -> Expected:
    """What must stand, held ones included, and what must have been rejected."""
    world = World(records, key, policies, retention_days)
    return Expected(world.exposures(), world.rejects)
