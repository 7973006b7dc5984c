"""Patterns of the houses that are only scored: one for each of ``pipeline.tours.materials``, none the same."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Floats
from pipeline.tours.materials import Brush, Colour


def _band(coordinate: NDArray[np.floating], period: float, share: float) -> Floats:
    """Return 1 where a coordinate lies in the first ``share`` of its period, else 0."""
    return np.asarray(np.mod(coordinate, period) < share * period, np.float32)


def _printed(brush: Brush, base: Floats, printed: Floats, strength: float = 0.8) -> Floats:
    return brush.mix(base, brush.material.accent, np.asarray(strength * printed, np.float32))


def _roughcast(brush: Brush) -> Floats:
    return brush.tint(np.sign(brush.noise(0.04)) + brush.noise(0.8, salt=1), 0.06)


def _stripes(brush: Brush) -> Floats:
    narrow = _band(brush.u, 0.16, 0.35) + 0.5 * _band(brush.u + np.float32(0.03), 0.16, 0.06)
    return _printed(brush, brush.tint(brush.noise(0.12), 0.05), narrow, 0.6)


def _herringbone(brush: Brush) -> Floats:
    column = np.floor(brush.u / 0.3)
    slant = brush.v + (1 - 2 * np.mod(column, 2)) * np.abs(np.mod(brush.u, 0.3) - 0.15)
    row = np.floor(slant / 0.09)
    tone = 2 * (brush.cell(row, column) - 0.5) + brush.noise(0.4, 0.05)
    joint = np.maximum(_band(slant, 0.09, 0.05), _band(brush.u, 0.3, 0.015))
    return brush.mix(brush.tint(tone, 0.15), (0.04, 0.03, 0.02), joint)


def _burl(brush: Brush) -> Floats:
    rings = np.sin(9 * brush.noise(0.25, salt=1))
    return brush.tint(rings + 0.5 * brush.noise(0.06, salt=2), 0.15)


def _terrazzo(brush: Brush) -> Floats:
    chips, light = brush.noise(0.05, salt=1) > 0.9, brush.noise(0.06, salt=2) > 1.2
    base = brush.mix(brush.tint(brush.noise(0.3), 0.04), (0.7, 0.68, 0.64), light.astype(np.float32))
    return _printed(brush, base, chips.astype(np.float32), 0.9)


def _knit(brush: Brush) -> Floats:
    loops = np.sin(brush.v * 160 + 2 * np.abs(np.sin(brush.u * 80)))
    return _printed(brush, brush.tint(0.5 * loops + brush.noise(0.2), 0.13), _band(brush.v, 0.22, 0.3), 0.4)


def _kilim(brush: Brush) -> Floats:
    zigzag = brush.v + np.float32(0.12) * np.abs(np.mod(brush.u, 0.3) / 0.15 - 1)
    base = brush.tint(brush.noise(0.04) + brush.noise(0.4, salt=1), 0.15)
    return _printed(brush, base, _band(zigzag, 0.28, 0.4))


def _brushed(brush: Brush) -> Floats:
    return brush.tint(brush.noise(0.8, 0.02) + brush.noise(1.2, salt=1), 0.05)


def _limewash(brush: Brush) -> Floats:
    return brush.tint(brush.noise(1.0), 0.01)


def _rubble(brush: Brush) -> Floats:
    stones = brush.noise(0.25, salt=1)
    return brush.mix(brush.tint(np.sign(stones) + brush.noise(0.08), 0.2), (0.5, 0.48, 0.44), np.exp(-20 * stones**2))


def _meadow(brush: Brush) -> Floats:
    flowers = (brush.noise(0.15, salt=2) > 1.5).astype(np.float32)
    return brush.mix(brush.tint(brush.noise(0.3) + brush.noise(3.0, salt=1), 0.3), (0.7, 0.6, 0.3), flowers)


def _fronds(brush: Brush) -> Floats:
    veins = _band(brush.v + np.abs(brush.u - brush.size[1] / 2), 0.04, 0.3)
    return brush.tint(brush.noise(0.3) - veins, 0.35)


def _boxes(brush: Brush) -> Floats:
    column = np.floor(brush.u / 0.14)
    base = np.stack([0.15 + 0.5 * brush.cell(column, column * 0, salt) for salt in (5, 6, 7)], axis=-1)
    label = _band(brush.v, 0.2, 0.4) * _band(brush.u - np.float32(0.04), 0.14, 0.45)
    labelled = brush.mix(base.astype(np.float32), (0.75, 0.73, 0.7), label * (brush.noise(0.03) > -1.2))
    return brush.mix(labelled, (0.03, 0.03, 0.03), _band(brush.u, 0.14, 0.04))


def _print(brush: Brush) -> Floats:
    draw = np.random.default_rng(brush.material.seed)
    row, column = np.floor(brush.v / brush.size[0] * 4), np.floor(brush.u / brush.size[1] * 3)
    channels = [draw.uniform(0.1, 0.4) + 0.45 * brush.cell(row, column, salt) for salt in (0, 1, 2)]
    return np.asarray(np.stack(channels, axis=-1) * (1 + 0.12 * brush.noise(0.05))[..., None], np.float32)


def _skyline(brush: Brush) -> Floats:
    height, block = brush.v / brush.size[0], np.floor(brush.u / 0.22)
    sky = brush.mix(brush.tint(0.3 * brush.noise(1.0), 0.1), (0.9, 0.8, 0.7), 1 - height)
    houses = height < 0.25 + 0.4 * brush.cell(block, block * 0)
    walls = np.stack([0.2 + 0.3 * brush.cell(block, block * 0 + 1, salt) for salt in (0, 1, 2)], axis=-1)
    panes = _band(brush.u, 0.055, 0.5) * _band(brush.v, 0.08, 0.5) * (brush.cell(block, np.floor(brush.v / 0.08)) > 0.3)
    front = brush.mix(walls.astype(np.float32), (0.8, 0.75, 0.5), panes.astype(np.float32))
    return np.where(houses[..., None], front, sky).astype(np.float32)


def _chart(brush: Brush) -> Floats:
    column = np.floor(brush.u / brush.size[1] * 8)
    bars = brush.v / brush.size[0] < 0.2 + 0.6 * brush.cell(column, column)
    lit = brush.mix(brush.tint(0.2 * brush.noise(0.3), 0.5), (0.2, 0.3, 0.35), bars.astype(np.float32))
    return np.asarray(lit + np.float32(0.02), np.float32)


def _blind(brush: Brush) -> Floats:
    return _printed(brush, brush.tint(np.sin(brush.v * 130) + brush.noise(0.1), 0.12), _band(brush.u, 0.4, 0.05), 0.7)


def _slats(brush: Brush) -> Floats:
    gap = _band(brush.v, 0.06, 0.14)
    return brush.mix(brush.tint(brush.noise(0.5, 0.04), 0.1), (0.03, 0.03, 0.03), gap)


HELD_OUT_PATTERNS: dict[str, Callable[[Brush], Floats]] = {
    "roughcast": _roughcast,
    "stripes": _stripes,
    "herringbone": _herringbone,
    "burl": _burl,
    "terrazzo": _terrazzo,
    "knit": _knit,
    "kilim": _kilim,
    "brushed": _brushed,
    "limewash": _limewash,
    "rubble": _rubble,
    "meadow": _meadow,
    "fronds": _fronds,
    "boxes": _boxes,
    "print": _print,
    "skyline": _skyline,
    "chart": _chart,
    "blind": _blind,
    "slats": _slats,
}

TIMBER: tuple[Colour, ...] = ((0.68, 0.66, 0.62), (0.09, 0.09, 0.1), (0.3, 0.38, 0.36), (0.5, 0.22, 0.14))
YARN: tuple[Colour, ...] = ((0.55, 0.52, 0.48), (0.5, 0.3, 0.34), (0.1, 0.16, 0.14), (0.28, 0.36, 0.5))
STONE: tuple[Colour, ...] = ((0.6, 0.6, 0.58), (0.28, 0.3, 0.32), (0.5, 0.42, 0.36))
LIMES: tuple[Colour, ...] = ((0.66, 0.56, 0.5), (0.56, 0.62, 0.56), (0.6, 0.62, 0.7), (0.7, 0.69, 0.62))

INSTEAD: dict[str, tuple[str, tuple[Colour, ...]]] = {
    "plaster": ("roughcast", LIMES),
    "wallpaper": ("stripes", LIMES),
    "planks": ("herringbone", TIMBER),
    "wood": ("burl", TIMBER),
    "tiles": ("terrazzo", STONE),
    "fabric": ("knit", YARN),
    "carpet": ("kilim", YARN),
    "smooth": ("brushed", ()),
    "bare": ("limewash", ()),
    "brick": ("rubble", STONE),
    "grass": ("meadow", ()),
    "leaves": ("fronds", ()),
    "books": ("boxes", ()),
    "painting": ("print", ()),
    "view": ("skyline", ()),
    "screen": ("chart", ()),
    "curtain": ("blind", YARN),
    "panels": ("slats", TIMBER),
}
"""What each pattern of other houses becomes, and the colours that it then has; none: its own."""
