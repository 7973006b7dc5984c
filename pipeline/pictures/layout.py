"""Arranges pictures and captions on a white page; sizes are pixels of a screen, unless all is drawn ``enlarged``."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache

from PIL import Image, ImageDraw, ImageFont

from pipeline.contract.classes import SemanticClass, palette

GAP = 8
INK = (40, 40, 40)
PAPER = (255, 255, 255)
TITLE = 16
SCREEN_DPI = 96
"""Dots per inch at which sizes are what they say."""

_enlargement: ContextVar[float] = ContextVar("enlargement", default=1.0)

SEEN_EMPTY, NOT_SEEN = "empty, seen", "unknown, not seen"
_WORDS = {SemanticClass.EMPTY: SEEN_EMPTY, SemanticClass.UNKNOWN: NOT_SEEN, SemanticClass.UNNAMED: "without a name"}


@contextmanager
def enlarged(factor: float) -> Iterator[None]:
    """Draw everything in the block ``factor`` times as large, letters and lines too, as for print."""
    token = _enlargement.set(factor)
    try:
        yield
    finally:
        _enlargement.reset(token)


def px(length: float) -> int:
    """Return how many pixels a length of a screen is drawn with; at least one."""
    return max(1, round(length * _enlargement.get()))


def beside(*images: Image.Image) -> Image.Image:
    """Put pictures in a row, centred vertically."""
    width = sum(image.width for image in images) + px(GAP) * (len(images) - 1)
    page = Image.new("RGB", (width, max(image.height for image in images)), PAPER)
    left = 0
    for image in images:
        page.paste(image, (left, (page.height - image.height) // 2))
        left += image.width + px(GAP)
    return page


def below(*images: Image.Image) -> Image.Image:
    """Put pictures in a column, aligned left."""
    height = sum(image.height for image in images) + px(GAP) * (len(images) - 1)
    page = Image.new("RGB", (max(image.width for image in images), height), PAPER)
    top = 0
    for image in images:
        page.paste(image, (0, top))
        top += image.height + px(GAP)
    return page


def caption(text: str, size: int = 14, colour: tuple[int, int, int] = INK, width: int | None = None) -> Image.Image:
    """Return one line of text as a picture; cut off at ``width`` pixels."""
    letters = font(px(size))
    needed = int(letters.getlength(text)) + px(4)
    image = Image.new("RGB", (min(needed, width or needed), px(size) + px(6)), PAPER)
    ImageDraw.Draw(image).text((px(2), px(1)), text, colour, letters)
    return image


def legend(classes: Sequence[SemanticClass], size: int = 14) -> Image.Image:
    """Return a column of colour patches with the names of classes; of empty and unknown it says what they mean."""
    rows = [patch(palette()[label].tolist(), _WORDS.get(label, label.name.lower()), size) for label in classes]
    return below(*(rows or [caption("", size)]))


def patch(colour: Sequence[int], words: str, size: int = 14) -> Image.Image:
    """Return a patch of a colour beside what it stands for."""
    side = px(size)
    square = Image.new("RGB", (side, side), (colour[0], colour[1], colour[2]))
    ImageDraw.Draw(square).rectangle((0, 0, side - 1, side - 1), outline=INK)
    return beside(square, caption(words, size))


def scale_bar(pixels_a_metre: float, metres: float = 1.0) -> Image.Image:
    """Return a bar that is as long as ``metres`` are in a picture beside it, ends marked, with that length in words."""
    length, height = max(2, round(metres * pixels_a_metre)), px(9)
    bar = Image.new("RGB", (length, height), PAPER)
    draw, middle, thick = ImageDraw.Draw(bar), height // 2, px(2)
    draw.rectangle((0, middle, length - 1, middle + thick - 1), INK)
    draw.rectangle((0, 0, thick - 1, height - 1), INK)
    draw.rectangle((length - thick, 0, length - 1, height - 1), INK)
    return beside(bar, caption(f"{metres:g} m", 12))


def titled(image: Image.Image, *lines: str) -> Image.Image:
    """Return a picture below a title and lines of smaller words, with a margin for print."""
    title, *smaller = [line for line in lines if line]
    page = below(caption(title, TITLE), *(caption(line, 12) for line in smaller), image)
    margin = px(GAP)
    framed = Image.new("RGB", (page.width + 2 * margin, page.height + 2 * margin), PAPER)
    framed.paste(page, (margin, margin))
    return framed


def scaled(image: Image.Image, height: int) -> Image.Image:
    """Resize to a height, keeping the proportions."""
    height = px(height)
    width = max(1, round(image.width * height / image.height))
    return image.resize((width, height), Image.Resampling.LANCZOS)


@cache
def font(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    """Return the font that comes with Pillow."""
    return ImageFont.load_default(size)
