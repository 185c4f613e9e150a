"""A report as one HTML file: nothing is loaded from anywhere, so it can be sent and kept."""

from __future__ import annotations

from html import escape

from console.coverage.blocks import Block, Cards, Listed, Picture, Report
from console.coverage.words import Words
from console.drawing.fonts import FAMILY
from console.drawing.svg import svg

_STYLE = f"""
body {{ font: 16px/1.5 {FAMILY}; color: #1c2327; background: #fff; max-width: 860px; margin: 0 auto; padding: 24px; }}
h1 {{ font-size: 26px; margin: 0; }} h2 {{ font-size: 18px; margin: 28px 0 8px; }}
.about {{ color: #55626a; margin: 4px 0 16px; }}
.note {{ background: #fff4e0; border-left: 5px solid #e08e45; padding: 8px 12px; margin: 8px 0; }}
.mark {{ background: #e08e45; color: #1c2327; font-size: 14px; padding: 2px 8px; border-radius: 3px; }}
.cards {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(180px, 1fr)); gap: 12px; margin: 16px 0; }}
.cards div {{ background: #f2f5f6; padding: 12px; border-radius: 6px; }}
.cards b {{ display: block; font-size: 26px; line-height: 1.2; }}
svg {{ width: 100%; height: auto; margin: 18px 0 6px; }}
.scroll {{ overflow-x: auto; }} .scroll svg {{ min-width: 640px; }}
table {{ border-collapse: collapse; width: 100%; font-size: 14px; }}
th, td {{ text-align: left; padding: 4px 10px 4px 0; border-bottom: 1px solid #d5dbde; }}
footer, .more {{ color: #55626a; font-size: 14px; }} footer {{ margin-top: 32px; }}
@media print {{ body {{ padding: 0; }} .cards div {{ border: 1px solid #d5dbde; }} tr, svg {{ break-inside: avoid; }} }}
"""


def page(report: Report, words: Words) -> str:
    mark = f' <span class="mark">{escape(words("settling"))}</span>' if report.settling else ""
    notes = "".join(f'<p class="note" role="note">{escape(note)}</p>' for note in report.notes)
    return f"""<!doctype html>
<html lang="{words.language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{escape(report.title)} – {escape(report.about)}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>{escape(report.title)}{mark}</h1>
<p class="about">{escape(report.about)}</p>
{notes}
{"".join(_block(block) for block in report.blocks)}
</main>
<footer>{escape(report.foot)}</footer>
</body>
</html>
"""


def _block(block: Block) -> str:
    match block:
        case Cards(rows):
            inside = "".join(f"<div><b>{escape(figure)}</b>{escape(word)}</div>" for figure, word in rows)
            return f'<section class="cards">{inside}</section>\n'
        case Picture(drawing):
            # As wide as the page, but on a telephone not so small that nobody can read it.
            return f'<div class="scroll">{svg(drawing, inline=True)}</div>'
        case Listed(title, columns, rows, more, empty):
            if not rows:
                return f"<h2>{escape(title)}</h2><p>{escape(empty)}</p>\n"
            head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
            body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>\n" for row in rows)
            below = f'<p class="more">{escape(more)}</p>' if more else ""
            return (
                f'<h2>{escape(title)}</h2><div class="scroll"><table><thead><tr>{head}</tr></thead>'
                f"<tbody>\n{body}</tbody></table></div>{below}\n"
            )
