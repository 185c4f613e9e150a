"""Drawings of a few shapes in millimetres, written as SVG or PDF: posters, cards, the charts of reports."""
