"""Rule 3 by hand, one sentence of it a test. Conflict 60 s; staff dwell 8 h, staff max_stay 14 h."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from streams.rules.pieces import PieceTable, VenueFigures, pieces, visits
from streams.rules.scans import distinct_unvoided
from tests.rules.tables import FIGURES, POLICY, as_lines, day_of, piece_table, pieces_of, scan_table


def test_an_in_alone_lasts_the_dwell() -> None:
    assert pieces_of("08:00 shop") == ["08:00-08:20 shop inferred"]
    assert pieces_of("08:00 airy") == ["08:00-08:30 airy inferred"]  # the venue's own figure


def test_an_out_ends_it() -> None:
    assert pieces_of("08:00 shop", "08:05 shop out") == ["08:00-08:05 shop"]
    assert pieces_of("08:00 shop", "12:00 shop out") == ["08:00-12:00 shop"]  # 240 minutes: at most max_stay


def test_an_out_after_max_stay_is_of_another_stay() -> None:
    assert pieces_of("08:00 shop", "12:00:01 shop out") == [
        "08:00-08:20 shop inferred",
        "11:40:01-12:00:01 shop inferred",
    ]


def test_a_second_in_prolongs() -> None:
    assert pieces_of("08:00 shop", "08:15 shop") == ["08:00-08:15 shop", "08:15-08:35 shop inferred"]
    assert pieces_of("08:00 shop", "08:20 shop") == ["08:00-08:20 shop inferred", "08:20-08:40 shop inferred"]


def test_nobody_is_in_two_places() -> None:
    assert pieces_of("08:00 food", "08:30 shop") == ["08:00-08:30 food inferred", "08:30-08:50 shop inferred"]
    # an out elsewhere cuts as well, and looks back no further than the scan before it
    assert pieces_of("08:00 food", "08:30 shop out") == ["08:00-08:30 food inferred", "08:10-08:30 shop inferred"]
    assert pieces_of("08:00 food", "08:10 shop out") == ["08:00-08:10 shop inferred", "08:00-08:10 food inferred"]


def test_an_out_counts_until_c_after_the_next_place() -> None:
    assert pieces_of("08:00 food", "08:30 shop", "08:30:59 food out") == [
        "08:00-08:30:59 food",
        "08:30-08:50 shop inferred",  # the out at 08:30:59 is less than c later: it does not cut
    ]
    assert pieces_of("08:00 food", "08:30 shop", "08:31 food out") == [
        "08:00-08:30 food inferred",
        "08:30-08:31 shop inferred",
        "08:30-08:31 food inferred",  # came in unseen; no earlier than a scan at least c before
    ]


def test_a_cut_goes_before_a_prolongation() -> None:
    assert pieces_of("08:00 food", "08:30 shop", "08:40 food") == [
        "08:00-08:30 food inferred",
        "08:30-08:40 shop inferred",
        "08:40-09:40 food inferred",
    ]


def test_an_out_without_an_in() -> None:
    assert pieces_of("08:00 shop out") == ["07:40-08:00 shop inferred"]
    assert pieces_of("07:50 shop out", "08:00 shop out") == ["07:30-07:50 shop inferred", "07:50-08:00 shop inferred"]
    # a scan elsewhere less than c before does not bound it, one exactly c before does
    assert pieces_of("07:59:01 food out", "08:00 shop out")[-1] == "07:40-08:00 shop inferred"
    assert pieces_of("07:59 food out", "08:00 shop out")[-1] == "07:59-08:00 shop inferred"


def test_an_instant_visit_makes_no_piece_but_still_cuts() -> None:
    assert pieces_of("08:00 shop", "08:00 shop out") == []
    assert pieces_of("07:30 food", "08:00 shop", "08:00 shop out") == ["07:30-08:00 food inferred"]


def test_at_one_instant_an_out_comes_before_an_in() -> None:
    # 08:10 ends the first stay and begins the second, which 08:30 ends: no instant visit
    assert pieces_of("08:00 shop", "08:10 shop out", "08:10 shop", "08:30 shop out") == [
        "08:00-08:10 shop",
        "08:10-08:30 shop",
    ]
    # the in at 08:10 has a later out, so the out at 08:10 is of somebody who came in unseen
    assert pieces_of("08:10 shop out", "08:10 shop", "08:30 shop out") == [
        "07:50-08:10 shop inferred",
        "08:10-08:30 shop",
    ]


def test_conflict_marks_and_does_not_cut() -> None:
    assert pieces_of("08:00 food", "08:00:59 shop") == [
        "08:00-09:00 food inferred conflict",
        "08:00:59-08:20:59 shop inferred conflict",
    ]
    assert pieces_of("08:00 food", "08:01 shop") == ["08:00-08:01 food inferred", "08:01-08:21 shop inferred"]
    assert pieces_of("08:00 food", "08:00 shop") == [
        "08:00-08:20 shop inferred conflict",
        "08:00-09:00 food inferred conflict",
    ]
    assert pieces_of("08:00 food out", "08:00:30 shop") == [
        "07:00-08:00 food inferred",
        "08:00:30-08:20:30 shop inferred",
    ]


def test_no_conflict_seconds() -> None:
    policy = replace(POLICY, conflict_seconds=0)
    # each is at another venue at the other's very start: both are cut to nothing
    assert pieces_of("08:00 food", "08:00 shop", policy=policy) == []
    # before is strict: the other scan of that second does not bound the look back
    assert pieces_of("08:00 food out", "08:00 shop out", policy=policy) == [
        "07:00-08:00 food inferred",
        "07:40-08:00 shop inferred",
    ]
    # the in is cut where its out is, since somebody scans elsewhere then; so the out ends nothing, and makes it again
    assert pieces_of("08:00 food", "08:05 food out", "08:05 shop out", policy=policy) == [
        "08:00-08:05 shop inferred",
        "08:00-08:05 food inferred",
    ]


def test_staff() -> None:
    assert pieces_of("08:00 shop staff") == ["08:00-16:00 shop inferred staff"]
    assert pieces_of("08:00 shop staff", "22:00 shop out") == ["08:00-22:00 shop staff"]  # 14 hours
    # the second scan is a staff scan too, and t0 is still 08:00: it lasts to 16:00, not to 18:00
    assert pieces_of("08:00 shop staff", "10:00 shop") == ["08:00-10:00 shop staff", "10:00-16:00 shop inferred staff"]
    # t + dwell, where that is later
    assert pieces_of("08:00 shop staff", "15:50 shop")[-1] == "15:50-16:10 shop inferred staff"
    # (t - staff_dwell, t]: at 16:00 the scan of 08:00 is out of it
    assert pieces_of("08:00 shop staff", "15:59:59 shop")[-1] == "15:59:59-16:19:59 shop inferred staff"
    assert pieces_of("08:00 shop staff", "16:00 shop")[-1] == "16:00-16:20 shop inferred"
    # elsewhere they are a visitor
    assert pieces_of("08:00 shop staff", "12:00 food")[-1] == "12:00-13:00 food inferred"


def test_an_out_of_staff_looks_back_further() -> None:
    assert pieces_of("16:00 shop out staff") == ["08:00-16:00 shop inferred staff"]
    assert pieces_of("16:00 office out staff") == ["08:00-16:00 office inferred staff"]


def test_equal_scans_of_two_codes_or_roles_are_one_event() -> None:
    rows = [
        (0, code, 0, second, words)
        for code, second, words in ((0, 0, ""), (1, 0, "staff"), (0, 600, "out"), (1, 600, "out"))
    ]
    rows = [(*row[:3], row[3] + 1_641_600_000, row[4]) for row in rows]
    table = pieces(distinct_unvoided(scan_table(rows)), FIGURES, POLICY)
    assert (len(table), int(table.end[0] - table.start[0]), table.staff.tolist()) == (1, 600, [True])


def test_many_persons_at_once_keep_apart_and_keep_their_numbers() -> None:
    rows = [row for person in (3, 1) for row in day_of("08:00 shop", "08:05 shop out", person=person)]
    rows += day_of("08:03 food", person=2)
    table = pieces(distinct_unvoided(scan_table(rows, persons=7)), FIGURES, POLICY)
    assert table.person.tolist() == [1, 2, 3]
    assert as_lines(table) == ["08:00-08:05 shop", "08:03-09:03 food inferred", "08:00-08:05 shop"]
    assert table.persons == 7 == table.take(np.array([0])).persons


def test_visits() -> None:
    table = piece_table(
        "0 08:15-08:35 shop inferred",
        "0 08:00-08:15 shop",
        "0 08:36-08:40 shop staff",
        "0 08:20-08:30 food conflict",
        "1 08:35-08:36 shop",
        "0 10:00-12:00 food",
        "0 10:10-10:20 food conflict",
        "0 11:50-12:10 food",
    )
    found = visits(table)
    assert as_lines(found) == [
        "08:00-08:35 shop inferred",
        "08:36-08:40 shop staff",
        "08:20-08:30 food conflict",
        "10:00-12:10 food conflict",
        "08:35-08:36 shop",
    ]
    assert found.person.tolist() == [0, 0, 0, 0, 1]


def test_nothing() -> None:
    assert as_lines(pieces(scan_table([]), FIGURES, POLICY)) == []
    assert len(visits(PieceTable.empty(4))) == 0


def test_max_stay_is_never_less_than_dwell() -> None:
    own = VenueFigures.of(POLICY, ["shop", "shop"], [300, None], [100, 10], [0, None])
    assert (own.dwell // 60).tolist() == [300, 20]
    assert (own.max_stay // 60).tolist() == [300, 20]
    assert (own.reach // 60).tolist() == [840, 840]  # what staff may stay
