"""The health page for a person: Vietnamese first, English below, no script, nothing from elsewhere."""

from __future__ import annotations

from html import escape
from typing import Any

_STYLE = """
:root { font: 16px/1.5 system-ui, "Segoe UI", Roboto, sans-serif; color: #16262c; background: #eef3f4; }
body { margin: 0; padding: 1rem; }
main { max-width: 38rem; margin: 1rem auto; background: #fff; padding: 1.25rem 1.5rem;
  border: 1px solid #d3dfe2; border-radius: 12px; } h1 { font-size: 1.3rem; margin: 0 0 .75rem; color: #0f4c5c; }
.state { border-radius: 8px; padding: .6rem .9rem; margin: 0 0 1rem; font-weight: 600; }
.ready { background: #e3f4ea; color: #0d5a30; } .waiting { background: #fff3d6; color: #6b4700; }
.full { background: #fdecec; color: #8c1014; } .en { display: block; font-weight: 400; font-size: .88rem; opacity: .9; }
table { width: 100%; border-collapse: collapse; } th, td { padding: .45rem 0; border-top: 1px solid #e3ebed; }
th { text-align: left; font-weight: 500; } th .en { color: #4b5f66; }
td { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; vertical-align: top; }
"""

_STATES = {
    "ready": (
        "Đang nhận lượt quét và chuyển tới Kafka.",
        "Scans are taken and passed on to Kafka.",
    ),
    "waiting": (
        "Đang nhận lượt quét và giữ trên đĩa; hiện chưa liên lạc được với Kafka. Không mất dữ liệu.",
        "Scans are taken and kept on disk; Kafka does not answer now. Nothing is lost.",
    ),
    "full": (
        "Không nhận thêm được: hết chỗ trên đĩa hoặc bộ đệm đã đầy. Những gì đã nhận vẫn an toàn.",
        "No more scans are taken: the disk or the spool is full. What was taken is safe.",
    ),
}

_ROWS = (
    ("records_waiting", "Bản ghi đang chờ gửi", "Records waiting"),
    ("oldest_waiting_seconds", "Bản ghi cũ nhất đã chờ", "Oldest has waited"),
    ("spool_bytes", "Dung lượng bộ đệm", "Spool on disk"),
    ("kafka", "Liên lạc với Kafka", "Kafka answers"),
    ("accepted", "Lượt quét đã nhận", "Scans taken"),
    ("refused", "Lượt quét bị từ chối", "Scans refused"),
    ("published", "Lượt quét đã gửi", "Scans published"),
    ("requests_limited", "Yêu cầu bị hoãn vì quá nhanh", "Requests put off: too fast"),
)


def page(state: dict[str, Any]) -> str:
    """HTML of what `/health` says. It is fetched again every 5 s."""
    vi, en = _STATES[state["state"]]
    rows = "".join(
        f'<tr><th scope="row">{vi_name}<span class="en" lang="en">{en_name}</span></th>'
        f"<td>{escape(_value(name, state))}</td></tr>"
        for name, vi_name, en_name in _ROWS
    )
    trouble = " · ".join(state[name] for name in ("spool_trouble", "kafka_trouble") if state[name])
    return (
        '<!doctype html><html lang="vi"><head><meta charset="utf-8"><meta http-equiv="refresh" content="5">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        f"<title>Truyvet: cổng nhận lượt quét</title><style>{_STYLE}</style></head><body><main>"
        '<h1>Cổng nhận lượt quét<span class="en" lang="en">Scan gateway</span></h1>'
        f'<p class="state {state["state"]}" role="status">{vi}<span class="en" lang="en">{en}</span></p>'
        f"<table>{rows}</table>"
        + (f'<p class="en" lang="en">{escape(trouble)}</p>' if trouble else "")
        + '<p class="en">Số đếm tính từ lúc khởi động. <span lang="en">Counts are since the start.</span></p>'
        "</main></body></html>"
    )


def _value(name: str, state: dict[str, Any]) -> str:
    value = state[name]
    match name:
        case "kafka":
            return "có · yes" if value else "không · no"
        case "spool_bytes":
            return f"{_mib(value)} / {_mib(state['spool_limit_bytes'])} MiB"
        case "oldest_waiting_seconds":
            return f"{value // 3600}:{value // 60 % 60:02}:{value % 60:02}"
    return f"{value:,}".replace(",", "\u202f")


def _mib(size: int) -> str:
    return f"{size / (1 << 20):.1f}"
