"""How the page looks. Contrast of text on its ground is 4.5 to 1 and more everywhere (WCAG AA)."""

from __future__ import annotations

from importlib import resources

PRIMARY = "#0f4c5c"
BANDS = {"high": "#a4161a", "medium": "#b86a00", "low": "#2e7d4f"}
LEVELS = {"F0": "#a4161a", "F1": "#c46a00", "F2": "#2f6fb0"}

CSS = resources.files("console.deskpage").joinpath("desk.css").read_text("utf-8")
