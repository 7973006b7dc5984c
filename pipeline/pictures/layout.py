"""Arranges pictures and captions on a white page."""

from collections.abc import Sequence
from functools import cache

from PIL import Image, ImageDraw, ImageFont

from pipeline.contract.classes import SemanticClass, palette

GAP = 8
INK = (40, 40, 40)
PAPER = (255, 255, 255)


def beside(*images: Image.Image) -> Image.Image:
    """Put pictures in a row, centred vertically."""
    width = sum(image.width for image in images) + GAP * (len(images) - 1)
    page = Image.new("RGB", (width, max(image.height for image in images)), PAPER)
    left = 0
    for image in images:
        page.paste(image, (left, (page.height - image.height) // 2))
        left += image.width + GAP
    return page


def below(*images: Image.Image) -> Image.Image:
    """Put pictures in a column, aligned left."""
    height = sum(image.height for image in images) + GAP * (len(images) - 1)
    page = Image.new("RGB", (max(image.width for image in images), height), PAPER)
    top = 0
    for image in images:
        page.paste(image, (0, top))
        top += image.height + GAP
    return page


def caption(text: str, size: int = 14, colour: tuple[int, int, int] = INK, width: int | None = None) -> Image.Image:
    """Return one line of text as a picture; cut off at ``width`` pixels."""
    letters = font(size)
    needed = int(letters.getlength(text)) + 4
    image = Image.new("RGB", (min(needed, width or needed), size + 6), PAPER)
    ImageDraw.Draw(image).text((2, 1), text, colour, letters)
    return image


def legend(classes: Sequence[SemanticClass], size: int = 14) -> Image.Image:
    """Return a column of colour patches with the names of classes."""
    rows = [_patch(label, size) for label in classes] or [caption("", size)]
    return below(*rows)


def scaled(image: Image.Image, height: int) -> Image.Image:
    """Resize to a height, keeping the proportions."""
    width = max(1, round(image.width * height / image.height))
    return image.resize((width, height), Image.Resampling.LANCZOS)


@cache
def font(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    """Return the font that comes with Pillow."""
    return ImageFont.load_default(size)


def _patch(label: SemanticClass, size: int) -> Image.Image:
    colour = tuple(palette()[label].tolist())
    patch = Image.new("RGB", (size, size), colour)
    ImageDraw.Draw(patch).rectangle((0, 0, size - 1, size - 1), outline=INK)
    return beside(patch, caption(label.name.lower(), size))
