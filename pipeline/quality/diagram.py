"""A square diagram of shares over shares as an SVG, with what would be perfect as its diagonal."""

from collections.abc import Mapping, Sequence

SIDE, MARGIN, LEGEND = 300, 46, 130
COLOURS = ("#4c78a8", "#e45756", "#54a24b", "#b279a2", "#9d755d")


def point(x: float, y: float) -> tuple[float, float]:
    """Return where a point of the unit square lies in the picture."""
    return MARGIN + SIDE * x, MARGIN + SIDE * (1 - y)


def diagram(across: str, up: str, drawn: Mapping[str, Sequence[str]]) -> str:
    """Return the SVG. across, up: what its axes are; drawn: elements by what the legend calls them, in ``COLOURS``."""
    whole = SIDE + 2 * MARGIN
    middle = MARGIN + SIDE / 2
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {whole + LEGEND} {whole}" font-size="12">',
        f'<rect x="{MARGIN}" y="{MARGIN}" width="{SIDE}" height="{SIDE}" fill="none" stroke="#888"/>',
        f'<line x1="{MARGIN}" y1="{MARGIN + SIDE}" x2="{MARGIN + SIDE}" y2="{MARGIN}" stroke="#bbb"/>',
        f'<text x="{middle}" y="{whole - 8}" text-anchor="middle">{across}</text>',
        f'<text x="14" y="{middle}" text-anchor="middle" transform="rotate(-90 14 {middle})">{up}</text>',
    ]
    for value in (0, 0.5, 1):
        along = MARGIN + SIDE * value
        parts.append(f'<text x="{along:g}" y="{MARGIN + SIDE + 16}" text-anchor="middle">{value:g}</text>')
        parts.append(f'<text x="{MARGIN - 6}" y="{whole - along + 4:g}" text-anchor="end">{value:g}</text>')
    for row, ((name, elements), colour) in enumerate(zip(drawn.items(), COLOURS, strict=False), start=1):
        parts += elements
        parts.append(f'<circle cx="{MARGIN + SIDE + 14}" cy="{MARGIN + 18 * row}" r="5" fill="{colour}"/>')
        parts.append(f'<text x="{MARGIN + SIDE + 24}" y="{MARGIN + 18 * row + 4}">{name}</text>')
    return "\n".join([*parts, "</svg>\n"])
