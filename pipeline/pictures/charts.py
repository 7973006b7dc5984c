"""Bars for pages, as HTML that needs no script: a row a value, or columns of a histogram."""

from collections.abc import Sequence
from html import escape

COLUMNS_HEIGHT = 120


def bars(rows: Sequence[tuple[str, float, str]], colours: Sequence[tuple[int, int, int]] = ()) -> str:
    """Return a table with a bar for every (name, value, text beside it); the largest value fills the width."""
    largest = max([value for _, value, _ in rows], default=0) or 1
    drawn = []
    for i, (name, value, text) in enumerate(rows):
        colour = "#{:02x}{:02x}{:02x}".format(*colours[i]) if i < len(colours) else "#4c78a8"
        share = 100 * max(value, 0) / largest
        drawn.append(
            f'<tr><th scope="row">{escape(name)}</th><td><svg viewBox="0 0 100 8" preserveAspectRatio="none" '
            f'role="img"><rect width="{share:.2f}" height="8" fill="{colour}" stroke="#0003" stroke-width=".3"/></svg>'
            f"</td><td>{escape(text)}</td></tr>"
        )
    return f'<table class="bars">{"".join(drawn)}</table>'


def histogram(counts: Sequence[float], bounds: Sequence[float], unit: str) -> str:
    """Return columns for counts (n,) between bounds (n + 1,), with the first, middle and last bound named."""
    largest, width = max(counts, default=0) or 1, 600 / max(1, len(counts))
    columns = "".join(
        f'<rect x="{i * width + 1:.1f}" y="{COLUMNS_HEIGHT * (1 - count / largest):.1f}" width="{width - 2:.1f}" '
        f'height="{COLUMNS_HEIGHT * count / largest:.1f}" fill="#4c78a8">'
        f"<title>{bounds[i]:g} to {bounds[i + 1]:g} {escape(unit)}: {count:,.0f}</title></rect>"
        for i, count in enumerate(counts)
    )
    named = ((0, 0, "start"), (len(counts) // 2, 300, "middle"), (len(counts), 600, "end"))
    places = "".join(
        f'<text x="{(at * width if how == "middle" else x):.0f}" y="{COLUMNS_HEIGHT + 22}" text-anchor="{how}">'
        f"{bounds[at]:g} {escape(unit)}</text>"
        for at, x, how in named
    )
    return f'<svg class="columns" viewBox="0 0 600 {COLUMNS_HEIGHT + 30}" role="img">{columns}{places}</svg>'
