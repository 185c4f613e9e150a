"""Times of many scans at once: the same as one by one, whatever forms the gateways mix."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from schemas.columns import _seconds
from schemas.times import EARLIEST_MS, LATEST_MS, parse_time

zulu = st.datetimes().map(lambda t: t.strftime("%Y-%m-%dT%H:%M:%SZ"))
offset = st.builds(
    lambda t, sign, h, m: f"{t:%Y-%m-%dT%H:%M:%S}{sign}{h:02d}:{m:02d}",
    st.datetimes(),
    st.sampled_from("+-"),
    st.integers(0, 25),
    st.integers(0, 61),
)
near = st.sampled_from(
    [
        "1999-12-31T23:59:59Z",
        "2000-01-01T00:00:00Z",
        "2000-01-01T06:59:59+07:00",
        "2000-01-01T07:00:00+07:00",
        "2099-12-31T23:59:59Z",
        "2099-12-31T23:59:59-00:01",
        "2024-02-29T10:00:00+07:00",
        "2023-02-29T10:00:00+07:00",
        "2024-05-01T24:00:00+07:00",
        "2024-05-01T10:00:00+7:000",
        "2024-05-01T10:00:00 07:00",
        "2024-05-01T10:00:00.123Z",
        "2024-05-01T10:00:00.1234Z",
        "2024-05-01T10:00:0٠+07:00",
        "",
    ]
)
ms = st.one_of(st.integers(EARLIEST_MS - 2, EARLIEST_MS + 2), st.integers(LATEST_MS - 2, 2**70), st.integers())


def one_by_one(times: list[str | int]) -> tuple[dict[int, int], set[int]]:
    good, odd = {}, set()
    for i, value in enumerate(times):
        try:
            good[i] = parse_time(value) // 1000
        except ValueError:
            odd.add(i)
    return good, odd


@given(st.lists(st.one_of(zulu, offset, near, ms), max_size=12))
@example([""])
@example(["2024-05-01T10:00:00+07:00", "2024-05-01T10:00:00+07:00"])
@example(["2000-01-01T06:59:59+07:00"])
@example([EARLIEST_MS, "2024-05-01T10:00:00Z"])
def test_as_one_by_one(times: list[str | int]) -> None:
    seconds, odd = _seconds(times)
    good, wrong = one_by_one(times)
    assert odd == wrong
    assert {i: int(seconds[i]) for i in good} == good


def test_forms_of_a_length_are_read_without_a_call_each(monkeypatch) -> None:
    """Vietnam's gateways write +07:00; reading those one by one would double what a scan costs."""
    monkeypatch.setattr("schemas.columns.parse_time", None)
    times = ["2024-05-01T15:00:00+07:00", 1714550400000, "2024-05-01T08:00:00Z"] * 3
    seconds, odd = _seconds(times)
    assert not odd and set(seconds.tolist()) == {1714550400}
