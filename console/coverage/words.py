"""The words of coverage reports, Vietnamese and English."""

from __future__ import annotations

LANGUAGES = ("vi", "en")

WORDS: dict[str, tuple[str, str]] = {
    "title": ("Báo cáo quét mã QR", "QR check-in report"),
    "province": ("toàn tỉnh", "the whole province"),
    "area": ("địa bàn", "area"),
    "organisation": ("cơ quan, đơn vị", "organisation"),
    "day": ("Ngày", "Day"),
    "as_of": ("Số liệu đến", "Figures as of"),
    "settling": ("chưa ổn định", "settling"),
    "settling_long": (
        "Ngày này chưa ổn định: số liệu còn thay đổi cho đến khi tròn ba ngày.",
        "This day is settling: its figures change until it is three days old.",
    ),
    "behind": (
        "Hệ thống chưa xử lý hết: còn {n} bản ghi.",
        "Not all is taken in yet: {n} records are behind.",
    ),
    "scans": ("lượt quét", "scans"),
    "in": ("vào", "in"),
    "out": ("ra", "out"),
    "out_percent": ("lượt ra / lượt vào", "outs per in"),
    "persons": ("người", "persons"),
    "of_venues": ("điểm có quét / đăng ký", "venues active / registered"),
    "shared_codes": ("mã dùng chung", "shared codes"),
    "two_places": ("một mã ở hai nơi", "in two places at once"),
    "days": ("Lượt vào và ra, 14 ngày", "In and out, 14 days"),
    "installs": ("Cài ứng dụng so với dân số", "Installs of the population"),
    "subscribers": ("Cài ứng dụng so với thuê bao", "Installs of mobile subscribers"),
    "venues": ("Điểm có quét so với điểm đăng ký", "Active of registered venues"),
    "presence": ("Nhân viên quét mã so với biên chế", "Staff who scanned of the headcount"),
    "without": ("Không có lượt quét trong ngày", "Without a scan that day"),
    "strangers": ("Điểm chưa đăng ký", "Unregistered venues"),
    "gateways": ("Thiết bị quét cần xem lại", "Gateways to look at"),
    "doubtful": ("Điểm có mã dùng chung hoặc một mã ở hai nơi", "Venues with shared codes or two-places conflicts"),
    "none": ("Không có.", "None."),
    "more": ("và {n} dòng nữa, xem bảng CSV hoặc xlsx", "and {n} more, see the CSV or xlsx"),
    "lowest": ("{n} đơn vị thấp nhất trong {all}", "the lowest {n} of {all}"),
    "small": ("Từ 1 đến 4 người được ghi là <5.", "1 to 4 persons are shown as <5."),
    "page": ("trang", "page"),
    "kind": ("loại", "kind"),
    "id": ("mã", "id"),
    "name": ("tên", "name"),
    "last_scan": ("lần quét cuối", "last scan"),
    "venue_id": ("mã điểm", "venue"),
    "gateway": ("thiết bị", "gateway"),
    "state": ("trạng thái", "state"),
    "last_record": ("bản ghi cuối", "last record"),
    "offset_s": ("lệch giờ (giây)", "clock off (s)"),
    "trouble": ("vấn đề", "trouble"),
    "commune": ("xã, phường", "commune"),
    "venue": ("điểm", "venue"),
    "never": ("chưa bao giờ", "never"),
    "silent": ("im lặng", "silent"),
    "clock": ("sai giờ", "clock"),
    "active": ("hoạt động", "active"),
    "revoked": ("đã thu hồi", "revoked"),
    "unregistered": ("chưa đăng ký", "unregistered"),
    "late": ("gửi muộn", "late"),
}


class Words:
    """`words("scans")`. A key that is not there is a fault of ours."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._at = LANGUAGES.index(language)

    def __call__(self, key: str, **values: object) -> str:
        return WORDS[key][self._at].format(**values)

    def cell(self, text: object) -> str:
        """Words in a table, where they are ours (also several, with commas between); anything else as it is."""
        words = ("" if text is None else str(text)).split(", ")
        return ", ".join(WORDS[word][self._at] if word in WORDS else word for word in words)
