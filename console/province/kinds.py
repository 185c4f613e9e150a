"""The kinds of venue: how many of each, who works there and when, how well people check in and out.

The shares are our estimates of a small coastal province; they only have to make every kind of place and flaw appear.
"""

from __future__ import annotations

from typing import NamedTuple

HOUR = 3600


class Kind(NamedTuple):
    """One venue type (messages.md, `venues`). Shares are of 10,000."""

    type: str
    short: str
    """in venue ids"""
    label: str
    """in venue names"""
    share: int
    """of all venues"""
    staff: int
    """how many workers one such place has, against the others"""
    opens: int
    """start of the shift, seconds of the local day"""
    shift: int
    """length of the shift, seconds"""
    guarded: int
    """share of places where a guard scans the visitors' codes"""
    forgets: int
    """share of visits that end without a check-out"""
    visit: tuple[int, int]
    """shortest and longest visit, minutes"""


KINDS: tuple[Kind, ...] = (
    Kind("office", "VP", "Văn phòng", 800, 14, 27000, 9 * HOUR, 6000, 3500, (20, 90)),
    Kind("school", "TH", "Trường học", 500, 16, 24300, 10 * HOUR, 9000, 4000, (30, 90)),
    Kind("factory", "NM", "Nhà máy", 150, 150, 21600, 8 * HOUR, 9500, 2000, (30, 90)),
    Kind("enterprise", "DN", "Doanh nghiệp", 700, 14, 27000, 9 * HOUR, 5000, 4000, (20, 90)),
    Kind("shopping_centre", "TM", "Trung tâm thương mại", 80, 24, 32400, 11 * HOUR, 9000, 4500, (30, 150)),
    Kind("supermarket", "ST", "Siêu thị", 250, 9, 27000, 11 * HOUR, 8000, 5000, (15, 60)),
    Kind("market", "CH", "Chợ", 300, 24, 16200, 8 * HOUR, 4000, 7000, (10, 50)),
    Kind("bus_station", "BX", "Bến xe", 100, 7, 16200, 9 * HOUR, 8000, 5000, (8, 40)),
    Kind("vehicle", "XE", "Xe khách", 400, 2, 18000, 10 * HOUR, 0, 4500, (15, 75)),
    Kind("tourist_site", "DL", "Khu du lịch", 150, 6, 25200, 10 * HOUR, 6000, 6000, (40, 180)),
    Kind("lodging", "NN", "Nhà nghỉ", 500, 4, 21600, 12 * HOUR, 5000, 4000, (420, 660)),
    Kind("restaurant", "AU", "Quán ăn", 1700, 4, 34200, 11 * HOUR, 1000, 5500, (20, 80)),
    Kind("bar", "BA", "Quán bia", 350, 4, 57600, 8 * HOUR, 1500, 5500, (40, 180)),
    Kind("shop", "CU", "Cửa hàng", 2600, 2, 27000, 11 * HOUR, 500, 7000, (4, 25)),
    Kind("health", "YT", "Trạm y tế", 400, 10, 25200, 9 * HOUR, 9500, 3000, (20, 150)),
    Kind("worship", "TG", "Cơ sở tôn giáo", 400, 2, 18000, 9 * HOUR, 2000, 5500, (30, 110)),
    Kind("event", "SK", "Hội trường", 120, 5, 54000, 8 * HOUR, 7000, 4500, (60, 200)),
    Kind("other", "KH", "Điểm khác", 300, 3, 27000, 9 * HOUR, 1500, 6000, (10, 60)),
)

INDEX: dict[str, int] = {kind.type: place for place, kind in enumerate(KINDS)}
"""Venue type to its position in KINDS."""
