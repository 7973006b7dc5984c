"""Procedural textures: albedo as a function of position on a surface, unique to each surface's seed.

Every pattern mixes several octaves of noise, because structure from motion needs corners and blobs at
every distance, and real plaster, wood and cloth have them.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

import cv2
import numpy as np

from pipeline.contract.arrays import Floats
from pipeline.tours.texels import TEXEL

Colour = tuple[float, float, float]

NOISE_SIZE = 2048


class SurfaceKind(IntEnum):
    """What light does at a surface, and who it belongs to; what a mask of the truth tells."""

    PLAIN = 0
    GLASS = 1
    MIRROR = 2
    GLOSSY = 3
    PERSON = 4


@dataclass(frozen=True)
class Material:
    """A pattern with its colours (linear albedo), its seed, and whether it shines by itself (screens, views).

    surface: what is seen of it beside its pattern; small views (``pipeline.tours.views``) show the pattern alone.
    """

    pattern: str
    colour: Colour = (0.5, 0.5, 0.5)
    accent: Colour = (0.3, 0.3, 0.3)
    seed: int = 0
    glows: bool = False
    texel: float = TEXEL
    surface: SurfaceKind = SurfaceKind.PLAIN


@dataclass(frozen=True)
class Brush:
    """Where a pattern paints: u, v (h, w) float32 metres along and across the surface of ``size`` (height, width)."""

    u: Floats
    v: Floats
    size: tuple[float, float]
    material: Material

    def noise(self, scale_u: float, scale_v: float | None = None, salt: int = 0) -> Floats:
        """Return fractal noise (h, w), mean 0, deviation 1, its largest blobs about ``scale`` metres."""
        across = scale_u if scale_v is None else scale_v
        offset = np.random.default_rng((self.material.seed, salt)).uniform(0, NOISE_SIZE, 2)
        x = self.u * np.float32(64 / scale_u) + np.float32(offset[0])
        y = self.v * np.float32(64 / across) + np.float32(offset[1])
        noise = cv2.remap(_fractal_noise(), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        return np.asarray(noise, np.float32)

    def cell(self, i: Floats, j: Floats, salt: int = 0) -> Floats:
        """Return a random number in [0, 1) for every cell (i, j) of a grid."""
        mixed = np.sin(i * 12.9898 + j * 78.233 + (self.material.seed % 997) * 0.731 + salt * 3.17) * 43758.547
        return np.asarray(mixed - np.floor(mixed), np.float32)

    def tint(self, tone: Floats, strength: float) -> Floats:
        """Return the material's colour, brightened or darkened by ``tone``."""
        return np.asarray(np.array(self.material.colour, np.float32) * (1 + strength * tone)[..., None], np.float32)

    def mix(self, base: Floats, colour: Colour, share: Floats) -> Floats:
        """Blend ``base`` towards ``colour`` by ``share`` (h, w) in [0, 1]."""
        return np.asarray(base + (np.array(colour, np.float32) - base) * np.clip(share, 0, 1)[..., None], np.float32)


@functools.cache
def _fractal_noise() -> Floats:
    """Return tileable noise whose amplitude falls as 1 / frequency above 32 cycles: all octaves equally strong."""
    spectrum = np.fft.rfft2(np.random.default_rng(7).standard_normal((NOISE_SIZE, NOISE_SIZE)))
    frequency = np.hypot(np.fft.fftfreq(NOISE_SIZE)[:, None], np.fft.rfftfreq(NOISE_SIZE)[None]) * NOISE_SIZE
    noise = np.fft.irfft2(spectrum / np.maximum(frequency, 32), s=(NOISE_SIZE, NOISE_SIZE))
    return np.asarray((noise - noise.mean()) / noise.std(), np.float32)


def _stains(brush: Brush, base: Floats, amount: float) -> Floats:
    blotches = np.clip(brush.noise(0.35, salt=11) - 1.1, 0, 1) * amount
    return brush.mix(base, brush.material.accent, blotches)


def _plaster(brush: Brush) -> Floats:
    grain = brush.noise(0.1) + 0.7 * np.maximum(np.abs(brush.noise(0.25, salt=1)) - 1, 0)
    return _stains(brush, brush.tint(grain + 0.4 * brush.noise(1.5, salt=2), 0.05), 0.3)


def _wallpaper(brush: Brush) -> Floats:
    base = brush.tint(brush.noise(0.1), 0.05)
    stripes = np.asarray(np.sin(brush.u * (2 * np.pi / 0.24)) > 0, np.float32)
    column, row = np.floor(brush.u / 0.24), np.floor(brush.v / 0.3)
    x, y = brush.u / 0.24 - column - 0.5, brush.v / 0.3 - row - 0.5
    lobes = 0.2 + 0.13 * brush.cell(column, row) * np.cos(
        np.arctan2(y, x) * (3 + np.floor(3 * brush.cell(column, row, 1)))
    )
    printed = np.float32(0.15) * stripes + np.float32(0.6) * (np.hypot(x, y) < lobes)
    return _stains(brush, brush.mix(base, brush.material.accent, np.asarray(printed, np.float32)), 0.2)


def _planks(brush: Brush) -> Floats:
    width, length = 0.13, 1.3
    row = np.floor(brush.v / width)
    shifted = brush.u + length * brush.cell(row, row)
    column = np.floor(shifted / length)
    grain = brush.noise(0.5, 0.05) + 0.6 * brush.noise(0.15, 0.15, salt=1)
    tone = 1.6 * (brush.cell(row, column) - 0.5) * 2 + grain
    gap = np.maximum(_line(brush.v, width, 0.005), _line(shifted, length, 0.005))
    return brush.mix(brush.tint(tone, 0.16), (0.03, 0.02, 0.015), np.asarray(0.8 * gap, np.float32))


def _wood(brush: Brush) -> Floats:
    rings = np.sin(brush.v * 60 + 3 * brush.noise(0.8, 0.1))
    return brush.tint(0.6 * rings + brush.noise(0.4, 0.06, salt=1) + 0.5 * brush.noise(0.1, salt=2), 0.13)


def _tiles(brush: Brush) -> Floats:
    side = 0.2 + 0.05 * (brush.material.seed % 5)
    row, column = np.floor(brush.v / side), np.floor(brush.u / side)
    veins = np.exp(-6 * np.abs(brush.noise(0.5, salt=3)))
    tone = 1.5 * (brush.cell(row, column) - 0.5) * 2 + brush.noise(0.15)
    grout = np.maximum(_line(brush.v, side, 0.008), _line(brush.u, side, 0.008))
    base = brush.mix(brush.tint(tone, 0.08), brush.material.accent, 0.5 * veins)
    return brush.mix(base, (0.12, 0.11, 0.1), grout)


def _line(coordinate: Floats, period: float, width: float) -> Floats:
    distance = np.abs(np.mod(coordinate, period) - period / 2) - period / 2 + width
    return np.clip(distance / width * 2, 0, 1).astype(np.float32)


def _fabric(brush: Brush) -> Floats:
    weave = np.sin(brush.u * 500) * np.sin(brush.v * 500)
    check = np.sign(np.sin(brush.u * 37 + brush.material.seed)) + np.sign(np.sin(brush.v * 37))
    base = brush.tint(0.4 * weave + brush.noise(0.12) + 0.6 * brush.noise(0.5, salt=1), 0.13)
    return brush.mix(base, brush.material.accent, 0.12 * np.abs(check))


def _carpet(brush: Brush) -> Floats:
    height, width = brush.size
    edge = np.minimum(np.minimum(brush.u, width - brush.u), np.minimum(brush.v, height - brush.v))
    border = np.exp(-(((edge - 0.12) / 0.03) ** 2))
    diamonds = np.sin(brush.u * 14) * np.sin(brush.v * 14) + 0.5 * brush.noise(0.3, salt=2)
    base = brush.tint(brush.noise(0.05) + brush.noise(0.3, salt=1), 0.18)
    return brush.mix(base, brush.material.accent, np.maximum(border, 0.7 * (diamonds > 0.35)))


def _smooth(brush: Brush) -> Floats:
    return brush.tint(brush.noise(0.2) + brush.noise(1.0, salt=1), 0.05)


def _bare(brush: Brush) -> Floats:
    return brush.tint(brush.noise(2.0), 0.004)


def _brick(brush: Brush) -> Floats:
    row = np.floor(brush.v / 0.08)
    shifted = brush.u + 0.12 * np.mod(row, 2)
    mortar = np.maximum(_line(brush.v, 0.08, 0.008), _line(shifted, 0.24, 0.008))
    tone = 1.5 * (brush.cell(row, np.floor(shifted / 0.24)) - 0.5) * 2 + brush.noise(0.15)
    return brush.mix(brush.tint(tone, 0.18), (0.45, 0.42, 0.38), mortar)


def _grass(brush: Brush) -> Floats:
    tone = brush.noise(0.2) + brush.noise(4.0, salt=1) + 0.5 * brush.noise(0.8, salt=2)
    return brush.mix(brush.tint(tone, 0.3), brush.material.accent, 0.3 * brush.noise(2.0, salt=3))


def _leaves(brush: Brush) -> Floats:
    return brush.tint(np.sign(brush.noise(0.25)) + brush.noise(0.4, salt=1), 0.4)


def _books(brush: Brush) -> Floats:
    spine = np.floor(brush.u / 0.035)
    base = np.stack([0.08 + 0.55 * brush.cell(spine, spine * 0, salt) ** 1.5 for salt in (0, 1, 2)], axis=-1)
    band = _line(brush.v + 0.1 * brush.cell(spine, spine, 4), 0.09, 0.01)
    lettered = brush.mix(base.astype(np.float32), (0.8, 0.75, 0.6), 0.7 * band * (brush.noise(0.02) > 0))
    return brush.mix(lettered, (0.02, 0.02, 0.02), _line(brush.u, 0.035, 0.004))


def _painting(brush: Brush) -> Floats:
    draw = np.random.default_rng(brush.material.seed)
    height, width = brush.size
    image = np.empty((*brush.u.shape, 3), np.float32)
    image[:] = draw.uniform(0.2, 0.6, 3)
    for layer in range(9):
        x, y, radius = draw.uniform(0, width), draw.uniform(0, height), draw.uniform(0.08, 0.4) * min(height, width)
        inside = (
            np.hypot(brush.u - x, (brush.v - y) * draw.uniform(0.4, 2)) + 0.012 * brush.noise(0.3, salt=layer) < radius
        )
        image = brush.mix(image, tuple(draw.uniform(0.04, 0.6, 3)), inside.astype(np.float32))
    return np.asarray(image * (1 + 0.1 * brush.noise(0.04, salt=20))[..., None], np.float32)


def _view(brush: Brush) -> Floats:
    height = brush.v / brush.size[0]
    clouds = np.clip(brush.noise(0.6, 0.25) * 0.5, 0, 1)
    sky = brush.mix(brush.mix(brush.tint(height * 0, 0), (0.35, 0.55, 0.95), height), (1, 1, 1), clouds)
    hills = brush.mix(sky, (0.12, 0.2, 0.16), (height < 0.45 + 0.04 * brush.noise(0.8, salt=1)).astype(np.float32))
    bushes = (height < 0.33 + 0.05 * brush.noise(0.3, salt=2)).astype(np.float32)
    leaves = np.clip(0.5 + 0.4 * brush.noise(0.1, salt=3), 0, 1)
    green = brush.mix(np.zeros_like(sky) + np.float32(0.04), (0.18, 0.35, 0.08), leaves)
    return np.asarray(hills + (green - hills) * bushes[..., None], np.float32)


def _screen(brush: Brush) -> Floats:
    glare = np.clip(brush.u / brush.size[1] + brush.v / brush.size[0] - 0.9, 0, 1)
    return np.asarray(brush.tint(brush.noise(0.3), 0.2) + (0.05 * glare)[..., None], np.float32)


def _curtain(brush: Brush) -> Floats:
    folds = np.sin(brush.u * 70 + 0.6 * brush.noise(0.5, 3.0))
    flowers = (brush.noise(0.15, salt=1) > 1.2).astype(np.float32)
    return brush.mix(brush.tint(folds + 0.4 * brush.noise(0.08, salt=2), 0.2), brush.material.accent, 0.7 * flowers)


def _panels(brush: Brush) -> Floats:
    height, width = brush.size
    x, y = np.abs(brush.u / width - 0.5), np.abs(np.mod(brush.v / height * 2, 1) - 0.5)
    ridge = np.maximum(_ridge(x, 0.34, y, 0.38), _ridge(x, 0.31, y, 0.355))
    return brush.mix(
        brush.tint(brush.noise(0.3, 0.3) + 0.5 * brush.noise(0.08, 0.5, salt=1), 0.07), brush.material.accent, ridge
    )


def _ridge(x: Floats, at_x: float, y: Floats, at_y: float) -> Floats:
    inside = np.maximum(np.abs(x) / at_x, np.abs(y) / at_y)
    return np.asarray(np.clip(1 - np.abs(inside - 1) / 0.03, 0, 1), np.float32)


PATTERNS: dict[str, Callable[[Brush], Floats]] = {
    "plaster": _plaster,
    "wallpaper": _wallpaper,
    "planks": _planks,
    "wood": _wood,
    "tiles": _tiles,
    "fabric": _fabric,
    "carpet": _carpet,
    "smooth": _smooth,
    "bare": _bare,
    "brick": _brick,
    "grass": _grass,
    "leaves": _leaves,
    "books": _books,
    "painting": _painting,
    "view": _view,
    "screen": _screen,
    "curtain": _curtain,
    "panels": _panels,
}
