"""Options of the charts (Apache ECharts): plain data in, plain data out."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from console.deskpage.figures import grouped
from console.deskpage.style import BANDS, LEVELS, PRIMARY

if TYPE_CHECKING:
    from streams.steps.f2 import Chain

F1_SHOWN, F2_SHOWN = 48, 110
"""Dots that a screen has room for: of more, those who were together longest."""
Options = dict[str, Any]
_INK, _LINE = "#21363d", "#d8e2e5"
_TEXT = {"color": _INK, "fontFamily": "system-ui, 'Segoe UI', Roboto, sans-serif"}


def _ms(text: str) -> int:
    """Local wall time as if it were UTC: charts then show Vietnam's time wherever the browser is."""
    return int(datetime.datetime.fromisoformat(text).timestamp() * 1000) + 7 * 3_600_000


def areas(rows: Sequence[Mapping[str, Any]], scans: str) -> Options:
    """The areas with most scans, the most at the top."""
    top = list(rows)[:12][::-1]
    return {
        "textStyle": _TEXT,
        "animation": False,
        "grid": {"left": 8, "right": 56, "top": 8, "bottom": 8, "containLabel": True},
        "xAxis": {"type": "value", "splitLine": {"lineStyle": {"color": _LINE}}, "axisLabel": {"show": False}},
        "yAxis": {
            "type": "category",
            "data": [row["name"] for row in top],
            "axisTick": {"show": False},
            "axisLabel": {"width": 130, "overflow": "truncate", "color": _INK},
        },
        "tooltip": {"trigger": "item"},
        "series": [
            {
                "type": "bar",
                "name": scans,
                "data": [
                    {"value": int(row.get("scans", 0)), "label": {"formatter": grouped(row.get("scans"))}}
                    for row in top
                ],
                "itemStyle": {"color": PRIMARY, "borderRadius": [0, 4, 4, 0]},
                "barMaxWidth": 18,
                "label": {"show": True, "position": "right", "color": _INK},
            }
        ],
    }


def bands(figures: Mapping[str, str], names: Mapping[str, str]) -> Options:
    """How many exposures are high, medium, low."""
    return {
        "textStyle": _TEXT,
        "animation": False,
        "tooltip": {"trigger": "item"},
        "series": [
            {
                "type": "pie",
                "radius": ["48%", "74%"],
                "label": {"formatter": "{b}: {c}", "color": _INK, "fontSize": 13},
                "data": [
                    {"name": names[band], "value": int(figures.get(band, 0)), "itemStyle": {"color": color}}
                    for band, color in BANDS.items()
                    if int(figures.get(band, 0))
                ],
            }
        ],
    }


# One bar a visit, from its start to its end, on the line of its venue; never thinner than can be seen and clicked.
_BAR = """(params, api) => {
  const a = api.coord([api.value(1), api.value(0)]), b = api.coord([api.value(2), api.value(0)]);
  const height = Math.min(22, api.size([0, 1])[1] * 0.62), box = params.coordSys;
  const from = Math.max(a[0], box.x), to = Math.min(Math.max(b[0], a[0] + 4), box.x + box.width);
  if (to <= from) return;
  return {type: 'rect', shape: {x: from, y: a[1] - height / 2, width: to - from, height, r: 3},
    style: {fill: api.visual('color')}};
}"""


def timeline(alerts: Sequence[Mapping[str, Any]], name: Callable[[str], str], words: Mapping[str, str]) -> Options:
    """The visits of a case, a line for each venue in the order of the first visit."""
    visits = sorted((a for a in alerts if a.get("end")), key=lambda a: (a["start"], a["venue_id"]))
    lines = list(dict.fromkeys(visit["venue_id"] for visit in visits))
    data = [
        {
            "name": name(visit["venue_id"]),
            "value": [lines.index(visit["venue_id"]), _ms(visit["start"]), _ms(visit["end"])],
            "itemStyle": {"color": BANDS["high"] if visit.get("crowd") else PRIMARY},
            "tooltip": {"formatter": _visit(visit, name(visit["venue_id"]), words)},
        }
        for visit in visits
    ]
    return {
        "textStyle": _TEXT,
        "animation": False,
        "useUTC": True,
        "grid": {"left": 8, "right": 20, "top": 12, "bottom": 44, "containLabel": True},
        "tooltip": {"trigger": "item"},
        "dataZoom": [{"type": "inside"}, {"type": "slider", "height": 18, "bottom": 8, "showDetail": False}],
        "xAxis": {
            "type": "time",
            "splitLine": {"show": True, "lineStyle": {"color": _LINE}},
            "axisLabel": {"color": _INK, "hideOverlap": True},
        },
        "yAxis": {
            "type": "category",
            "inverse": True,
            "data": [name(venue) for venue in lines],
            "axisTick": {"show": False},
            "axisLabel": {"width": 150, "overflow": "truncate", "color": _INK},
        },
        "series": [{"type": "custom", ":renderItem": _BAR, "encode": {"x": [1, 2], "y": 0}, "data": data}],
    }


def _visit(visit: Mapping[str, Any], venue: str, words: Mapping[str, str]) -> str:
    """As HTML, which is what the chart's tooltips are."""
    start, end = (datetime.datetime.fromtimestamp(_ms(visit[f]) / 1000, datetime.UTC) for f in ("start", "end"))
    return (
        f"{escape(venue)}<br>{start:%d/%m %H:%M} – {end:%H:%M}<br>{words['people']}: {grouped(visit.get('people'))}"
        f"<br>F1: {grouped(visit.get('f1'))}"
    )


class Shown:
    """Who of a chain is drawn, and where: the case in the middle, F1 around it, F2 outside, near their F1.

    `beside`: of each F2 the F1 they were with longest. Only that line is drawn: all of them would be a grey disc.
    """

    def __init__(self, chain: Chain) -> None:
        together: dict[str, int] = {}
        for meeting in chain.meetings:
            together[meeting.person] = together.get(meeting.person, 0) + meeting.minutes
        self.minutes = together

        def longest(people: list[str], most: int) -> list[str]:
            return sorted(people, key=lambda person: (-together.get(person, 0), person))[:most]

        self.f1 = longest(chain.f1, F1_SHOWN)
        near = set(self.f1)
        self.f2 = longest([f2.person for f2 in chain.f2 if near & set(f2.via)], F2_SHOWN)
        drawn, longest_with = set(self.f2), dict[str, int]()
        self.beside: dict[str, str] = {}
        for meeting in chain.meetings:
            if (
                meeting.person in drawn
                and meeting.source in near
                and meeting.minutes > longest_with.get(meeting.person, -1)
            ):
                longest_with[meeting.person], self.beside[meeting.person] = meeting.minutes, meeting.source
        self.f2 = [person for person in self.f2 if person in self.beside]
        self.all = {chain.person: "F0", **dict.fromkeys(self.f1, "F1"), **dict.fromkeys(self.f2, "F2")}
        self.at = self._places(chain)

    def _places(self, chain: Chain) -> dict[str, tuple[float, float]]:
        at = {chain.person: (0.0, 0.0)}
        angle = {person: 2 * math.pi * i / max(len(self.f1), 1) for i, person in enumerate(self.f1)}
        for person, turn in angle.items():
            at[person] = (_round(100 * math.cos(turn)), _round(100 * math.sin(turn)))
        via = {person: self.beside[person] for person in self.f2}
        outer = sorted(self.f2, key=lambda person: (angle[via[person]], person))
        for i, person in enumerate(outer):
            # Spread evenly, in the order of their F1: lines are short, and no two dots lie on each other.
            turn = 2 * math.pi * i / max(len(outer), 1)
            at[person] = (_round(190 * math.cos(turn)), _round(190 * math.sin(turn)))
        return at


def _round(number: float) -> float:
    return round(number, 1)


def _dot(level: str, name: str, minutes: int | None, words: Mapping[str, str]) -> str:
    return f"{level} {escape(name)}" + (f"<br>{minutes} {escape(words['minutes'])}" if minutes else "")


def graph(chain: Chain, shown: Shown, label: Callable[[str], str], words: Mapping[str, str]) -> Options:
    """A dot a person, a line a meeting; wider, the longer they were together."""
    few = len(shown.all) <= 40
    nodes = [
        {
            "id": person,
            "name": person,
            "x": shown.at[person][0],
            "y": shown.at[person][1],
            "category": level,
            "symbolSize": {"F0": 34, "F1": 18, "F2": 11}[level],
            "itemStyle": {"color": LEVELS[level]},
            "label": {
                "show": level == "F0" or few,
                "formatter": chain.case_id if level == "F0" else label(person),
                "position": "bottom" if level == "F0" else "right",
            },
            "value": shown.minutes.get(person, 0),  # the toolkit tells of no click on a point that has none
            "tooltip": {"formatter": _dot(level, label(person), shown.minutes.get(person), words)},
        }
        for person, level in shown.all.items()
    ]
    links = [
        {
            "source": meeting.source,
            "target": meeting.person,
            "value": meeting.minutes,
            "lineStyle": {"width": round(min(1 + math.sqrt(meeting.minutes) / 5, 5), 1)},
        }
        for meeting in chain.meetings
        if meeting.source in shown.all
        and (shown.all.get(meeting.person) == "F1" or shown.beside.get(meeting.person) == meeting.source)
    ]
    return {
        "textStyle": _TEXT,
        "animation": False,
        "tooltip": {"trigger": "item"},
        "legend": {"data": list(LEVELS), "bottom": 0, "textStyle": {"color": _INK}},
        "series": [
            {
                "type": "graph",
                "layout": "none",
                "roam": True,
                "preserveAspect": True,
                "left": 40,
                "right": 60,
                "top": 20,
                "bottom": 40,
                "categories": [{"name": level, "itemStyle": {"color": color}} for level, color in LEVELS.items()],
                "data": nodes,
                "links": links,
                "label": {"color": _INK, "fontSize": 11},
                "lineStyle": {"color": "#7d9299", "opacity": 0.55, "curveness": 0.06},
                "emphasis": {"focus": "adjacency", "lineStyle": {"opacity": 0.95}},
                "selectedMode": "single",
                "select": {"itemStyle": {"borderColor": "#16262c", "borderWidth": 3}},
            }
        ],
    }
