"""Contact sheets: what became of every clip."""

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from pipeline.contract.arrays import Images
from pipeline.pictures.layout import GAP, below, beside, caption, px, scaled

KEPT = (46, 139, 87)
REJECTED = (200, 40, 40)
THUMBNAIL_HEIGHT = 90
LONGEST_LIST = 8
"""Left-out shots named under a sheet; the others are counted."""


@dataclass(frozen=True)
class ClipRow:
    """One row of a contact sheet: pictures of a clip (n, h, w, 3) uint8 RGB, its caption, whether it was kept."""

    caption: str
    kept: bool
    pictures: Images


def clip_sheet(rows: Sequence[ClipRow], left_out: Sequence[str] = (), height: int = THUMBNAIL_HEIGHT) -> Image.Image:
    """Return a row of framed thumbnails a clip, green for kept, red for rejected, with ``left_out`` as text below."""
    drawn = [_row(row, height) for row in rows]
    width = max([image.width for image in drawn], default=px(480))
    named = [caption(f"left out: {line}", 12, REJECTED, width) for line in left_out[:LONGEST_LIST]]
    further = len(left_out) - len(named)
    more = [caption(f"and {further} more", 12, REJECTED)] if further > 0 else []
    return below(*drawn, *named, *more) if drawn or named else caption("no clip")


def _row(row: ClipRow, height: int) -> Image.Image:
    colour = KEPT if row.kept else REJECTED
    thumbnails = [_framed(scaled(Image.fromarray(picture), height), colour) for picture in row.pictures]
    strip = beside(*thumbnails) if thumbnails else Image.new("RGB", (1, 1), (255, 255, 255))
    return below(caption(row.caption, 13, colour, max(strip.width, 40 * px(GAP))), strip)


def _framed(image: Image.Image, colour: tuple[int, int, int]) -> Image.Image:
    framed = image.copy()
    ImageDraw.Draw(framed).rectangle((0, 0, image.width - 1, image.height - 1), outline=colour, width=px(3))
    return framed
