"""Rule 1's identity of a scan, and rule 2's shared cards."""

from __future__ import annotations

from streams.rules.scans import distinct_unvoided, shared, without_shared_codes
from tests.rules.tables import at, scan_table


def test_a_scan_is_its_code_second_venue_direction_and_role() -> None:
    base = (0, 0, 0, 100, "")
    others = [
        (0, 1, 0, 100, ""),
        (0, 0, 1, 100, ""),
        (0, 0, 0, 101, ""),
        (0, 0, 0, 100, "out"),
        (0, 0, 0, 100, "staff"),
    ]
    assert len(distinct_unvoided(scan_table([base, *others, base]))) == 6


def test_a_void_removes_the_equal_one_only_wherever_it_stands() -> None:
    base, void = (0, 0, 0, 100, ""), (0, 0, 0, 100, "void")
    for rows in ([base, void], [void, base], [base, void, base], [void]):
        assert len(distinct_unvoided(scan_table(rows))) == 0
    kept = distinct_unvoided(scan_table([(0, 0, 0, 100, "void staff"), base, (0, 1, 0, 100, "void")], persons=9))
    assert (len(kept), kept.persons, bool(kept.staff[0])) == (1, 9, False)


def test_more_than_the_limit_on_a_local_day() -> None:
    late, next_day = at("23:59:58"), at("24:00")
    rows = [(0, 0, 0, late, ""), (0, 0, 0, late + 1, ""), (0, 0, 0, next_day, "")]
    assert len(without_shared_codes(scan_table(rows), 2)) == 3
    rows.append((0, 0, 1, at("00:00"), "out"))
    left = without_shared_codes(scan_table(rows), 2)
    assert left.second.tolist() == [next_day]
    assert shared(scan_table(rows), 2).tolist() == [True, True, False, True]


def test_counted_by_code_not_by_person() -> None:
    rows = [(0, code, 0, at("10:00") + i, "") for code in (0, 1) for i in range(2)]
    assert len(without_shared_codes(scan_table(rows), 2)) == 4


def test_what_is_voided_or_came_twice_makes_no_card_shared() -> None:
    rows = [(0, 0, 0, at("10:00") + i, "") for i in range(3)]
    rows += [rows[0], (*rows[1][:4], "void")]
    assert len(without_shared_codes(distinct_unvoided(scan_table(rows)), 2)) == 2


def test_nothing() -> None:
    assert len(without_shared_codes(distinct_unvoided(scan_table([])), 60)) == 0
