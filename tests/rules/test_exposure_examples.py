"""Rule 5 by hand. The case's person is 0 of the first table; `airy` is a shop whose air stays 30 minutes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from streams.rules.exposure import ExposureTable, exposures
from streams.rules.pieces import PieceTable
from streams.rules.policy import Policy
from tests.rules.tables import FIGURES, POLICY, VENUES, at, clock, piece_table

ALL_DAY = (at("00:00"), at("48:00"))


def met(
    case: PieceTable, theirs: PieceTable, window: tuple[int, int] = ALL_DAY, policy: Policy = POLICY
) -> ExposureTable:
    return exposures(case, theirs, window, FIGURES, policy, np.array([0, 1, 2, 3]))


def episodes_of(table: ExposureTable, person: int = 0) -> list[str]:
    names = list(VENUES)
    found = []
    for i in range(int(table.first[person]), int(table.last[person])):
        e = table.episode(i)
        flags = [word for word in ("inferred", "conflict", "staff", "case_staff") if getattr(e, word)]
        text = f"{clock(e.start)}-{clock(e.end)} {names[e.venue]} {e.direct // 60}+{e.indirect // 60}"
        found.append(" ".join([text, *flags]))
    return found


def test_direct_only() -> None:
    table = met(piece_table("0 08:00-09:00 shop"), piece_table("0 08:30-10:00 shop"))
    assert episodes_of(table) == ["08:30-09:00 shop 30+0"]
    (row,) = table.f1()
    assert row == (0, 0, 1, 1800, 1800, 0)


def test_another_venue_or_another_time_is_nothing() -> None:
    case = piece_table("0 08:00-09:00 shop")
    theirs = piece_table("0 08:00-09:00 food", "1 09:00-10:00 shop", "2 07:00-08:00 shop", persons=5)
    table = met(case, theirs)
    assert list(table.f1()) == []
    assert table.is_f1.tolist() == [False] * 5


def test_air_that_stays() -> None:
    table = met(piece_table("0 08:00-09:00 airy"), piece_table("0 08:50-10:00 airy", "1 09:10-09:25 airy"))
    assert episodes_of(table, 0) == ["08:50-09:30 airy 10+30"]
    assert episodes_of(table, 1) == ["09:10-09:25 airy 0+15"]
    assert [row[3:] for row in table.f1()] == [(2400, 600, 1800), (900, 0, 900)]


def test_the_case_is_cut_before_its_air_is_prolonged() -> None:
    table = met(piece_table("0 08:00-09:00 airy"), piece_table("0 08:00-12:00 airy"), window=(at("08:30"), at("08:45")))
    assert episodes_of(table) == ["08:30-09:15 airy 15+30"]
    # a stay wholly outside the window leaves no air in it
    outside = met(
        piece_table("0 08:00-08:29 airy"), piece_table("0 08:00-12:00 airy"), window=(at("08:29"), at("12:00"))
    )
    assert episodes_of(outside) == []


def test_an_empty_window() -> None:
    table = met(piece_table("0 08:00-09:00 shop"), piece_table("0 08:00-09:00 shop"), window=(at("09:00"), at("08:00")))
    assert table.is_f1.tolist() == [False]


def test_an_episode_runs_over_touching_pieces_and_overlapping_air() -> None:
    case = piece_table("0 08:00-08:10 airy", "0 08:30-08:40 airy inferred")
    theirs = piece_table("0 08:00-08:20 airy", "0 08:20-09:00 airy conflict", "0 09:05-09:30 airy staff")
    table = met(case, theirs)
    assert episodes_of(table) == [
        "08:00-09:00 airy 20+40 inferred conflict",
        "09:05-09:10 airy 0+5 inferred staff",  # only the air of the inferred piece reaches it
    ]


def test_flags_are_of_the_pieces_under_the_episode() -> None:
    case = piece_table("0 08:00-08:30 shop staff", "0 10:00-10:30 shop conflict")
    theirs = piece_table("0 08:00-10:15 shop inferred")
    assert episodes_of(met(case, theirs)) == [
        "08:00-08:30 shop 30+0 inferred case_staff",
        "10:00-10:15 shop 15+0 inferred conflict",
    ]


def test_episodes_are_in_the_order_of_start_end_venue() -> None:
    spans = ("08:00-08:30 food", "08:00-08:20 office", "08:00-08:30 shop", "07:00-07:05 airy")
    case, theirs = piece_table(*(f"0 {s}" for s in spans)), piece_table(*(f"0 {s}" for s in spans))
    table = exposures(case, theirs, ALL_DAY, FIGURES, POLICY, np.array([3, 1, 0, 2]))
    venues = [list(VENUES)[table.episode(i).venue] for i in range(4)]
    assert venues == ["airy", "office", "food", "shop"]


def test_a_second_counts_once_and_is_direct_if_direct_at_any() -> None:
    # two venues at once (a photographed code); at one of them only the air is shared
    case = piece_table("0 08:00-08:30 shop", "0 07:50-08:00 airy")
    theirs = piece_table("0 08:10-08:40 shop", "0 08:00-08:20 airy")
    table = met(case, theirs)
    assert episodes_of(table) == ["08:00-08:20 airy 0+20", "08:10-08:30 shop 20+0"]
    (row,) = table.f1()
    assert row[3:] == (1800, 1200, 600)


def test_the_threshold_to_the_second() -> None:
    case = piece_table("0 08:00-12:00 shop")
    table = met(case, piece_table("0 09:00-09:15 shop", "1 09:00-09:14:59 shop"))
    assert table.is_f1.tolist() == [True, False]


def test_episodes_that_start_within_24_hours_add_up_and_count_whole() -> None:
    case = piece_table("0 08:00-08:10 shop", "0 31:00-33:00 shop")
    # the span is [08:00, 32:00): 31:59:59 is in it, 32:00 is not
    table = met(
        case,
        piece_table(
            "0 08:00-08:08 shop",
            "0 31:59:59-32:07 shop",
            "1 08:00-08:08 shop",
            "1 32:00-32:08 shop",
            "2 08:00-08:08 shop",
            "2 32:00-32:15 shop",
        ),
    )
    assert table.is_f1.tolist() == [True, False, True]
    assert episodes_of(table, 2) == ["08:00-08:08 shop 8+0", "32:00-32:15 shop 15+0"]


def test_within_is_of_the_policy() -> None:
    case = piece_table("0 08:00-12:00 shop")
    theirs = piece_table("0 08:00-08:10 shop", "0 09:00-09:10 shop")
    assert met(case, theirs).is_f1.tolist() == [True]
    assert met(case, theirs, policy=replace(POLICY, within_hours=1)).is_f1.tolist() == [False]


def test_the_threshold_counts_a_shared_second_once() -> None:
    case = piece_table("0 08:00-09:00 shop", "0 08:00-09:00 food")
    # 10 + 10 minutes of episodes, 12 minutes of time
    theirs = piece_table("0 08:00-08:10 shop", "0 08:02-08:12 food")
    table = met(case, theirs)
    assert table.seconds.tolist() == [720]
    assert table.is_f1.tolist() == [False]
    # the same beside an episode of another day: what overlaps is not counted twice there either
    longer = piece_table("0 08:00-08:10 shop", "0 08:02-08:12 food", "0 40:00-40:10 office")
    case_longer = piece_table("0 08:00-09:00 shop", "0 08:00-09:00 food", "0 40:00-41:00 office")
    assert met(case_longer, longer).is_f1.tolist() == [False]


def test_nobody() -> None:
    table = met(PieceTable.empty(), PieceTable.empty(3))
    assert table.is_f1.tolist() == [False] * 3
    assert met(piece_table("0 08:00-09:00 shop"), PieceTable.empty()).is_f1.tolist() == []
