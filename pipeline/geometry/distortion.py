"""A lens that bends straight lines, in the terms of the picture alone, so that clips of unlike focal lengths agree.

The model is OpenCV's with four coefficients (two radial, two tangential; Brown 1966), but lengths are measured in half
diagonals of the 640x480 picture and not in focal lengths. Points are taken from the picture's centre in square pixels.
"""

from collections.abc import Iterable
from dataclasses import asdict, astuple, dataclass
from functools import cached_property
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Float64s, Floats, Images
from pipeline.contract.padding import shown_columns
from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH

CENTRE = np.array([FRAME_WIDTH / 2, FRAME_HEIGHT / 2])
HALF_DIAGONAL = float(np.hypot(*CENTRE))

BESIDE_SIDES = 2
"""Pixels beside a black side into which it is smeared: the reach of cubic interpolation."""

ROUNDS = 30
"""Steps of the fixed-point iteration that inverts the model; each leaves a fifth of the error at a bend of 10 %."""


@dataclass(frozen=True)
class Distortion:
    """How a film's pixels lie to those of a pinhole camera.

    k1, k2: radial coefficients; k1 + k2 is how far a corner of the ideal picture is moved, as a share of its distance
    from the centre (less than 0: barrel). p1, p2: tangential coefficients. aspect: vertical over horizontal focal
    length; the straightened picture keeps it.
    """

    k1: float = 0.0
    k2: float = 0.0
    p1: float = 0.0
    p2: float = 0.0
    aspect: float = 1.0

    @property
    def bends(self) -> bool:
        """Tell whether straight lines come out bent."""
        return any(astuple(self)[:4])

    @cached_property
    def enlarged(self) -> float:
        """How much the straightened picture is enlarged about its centre, so that it has no empty pixel: 1 or more."""
        left, right = 1.0, 2.0
        if self._fills(left):
            return left
        for _ in range(40):
            middle = (left + right) / 2
            left, right = (left, middle) if self._fills(middle) else (middle, right)
        return right

    def bent(self, pixels: Float64s) -> Float64s:
        """Return where in the film (n, 2) pixels (n, 2) of the straightened picture are."""
        return self._from_units(self._moved(self._units(pixels) / self.enlarged))

    def straight(self, pixels: Float64s) -> Float64s:
        """Return where in the straightened picture (n, 2) pixels (n, 2) of the film are."""
        film = self._units(pixels)
        ideal = film
        for _ in range(ROUNDS):
            ideal = ideal + film - self._moved(ideal)
        return self._from_units(ideal * self.enlarged)

    def straightened(self, rgb: Images) -> Images:
        """Return frames (n, 480, 640, 3) uint8 of a clip of the film as a pinhole camera would have taken them.

        Frames of another size are taken for the same pictures, larger or smaller.

        Black columns at the sides, which show nothing, stay black columns: those that show something in some rows alone
        are black altogether.
        """
        if not self.bends:
            return rgb
        height, width = rgb.shape[1:3]
        return remapped(rgb, repeat(self._maps(width, height)))

    def straightened_maps(self, maps: NDArray[Any]) -> NDArray[Any]:
        """Return maps (n, 480, 640) of depth or labels of the film at the pixels of the straightened picture, nearest.

        A lens moves pixels and leaves the distance along the axis as it is.
        """
        if not self.bends:
            return maps
        columns, rows = (np.floor(places + 0.5).astype(np.int64) for places in self._maps(FRAME_WIDTH, FRAME_HEIGHT))
        return maps[:, rows.clip(0, FRAME_HEIGHT - 1), columns.clip(0, FRAME_WIDTH - 1)]

    def straightened_intrinsics(self, intrinsics: NDArray[np.floating]) -> Floats:
        """Return intrinsics (n, 3, 3) of the film's camera for the straightened picture."""
        if not self.bends:
            return np.asarray(intrinsics, np.float32)
        about = np.diag([self.enlarged, self.enlarged, 1.0])
        about[:2, 2] = CENTRE * (1 - self.enlarged)
        return np.asarray(about @ np.asarray(intrinsics, np.float64), np.float32)

    def then(self, rest: "Distortion") -> "Distortion":
        """Return the distortion that is left out at once where this one was first and ``rest`` from what came of it.

        The coefficients are those that fit best over the picture: two bends one after another are no such bend exactly.
        """
        if not (self.bends and rest.bends):
            return rest if rest.bends else self
        along = (np.arange(-16, 17) / 16)[:, None]
        x, y = np.broadcast_arrays(along.T, along)
        pixels = np.stack([x.ravel(), y.ravel()], axis=1) * CENTRE + CENTRE
        ideal = self._units(pixels) / (rest.enlarged * self.enlarged)
        moved = self._units(self.bent(rest.bent(pixels))) - ideal
        (x, y), r2 = ideal.T, (ideal**2).sum(axis=1)
        columns = np.stack(
            [
                np.concatenate([x * r2, y * r2]),
                np.concatenate([x * r2**2, y * r2**2]),
                np.concatenate([2 * x * y, r2 + 2 * y**2]),
                np.concatenate([r2 + 2 * x**2, 2 * x * y]),
            ],
            axis=1,
        )
        found, *_ = np.linalg.lstsq(columns, moved.T.ravel(), rcond=None)
        k1, k2, p1, p2 = map(float, found)
        return Distortion(k1, k2, p1, p2, self.aspect)

    def scaled(self, share: float) -> "Distortion":
        """Return a share of the bend; pixels keep their shape."""
        return Distortion(share * self.k1, share * self.k2, share * self.p1, share * self.p2, self.aspect)

    def as_counts(self) -> dict[str, float]:
        """Return the coefficients by name, as a stage counts them."""
        return {f"lens_{name}": float(value) for name, value in asdict(self).items()}

    def as_row(self) -> Float64s:
        """Return the coefficients (5,) in the order of the fields, as the store keeps them of every frame."""
        return np.array(astuple(self), np.float64)

    @classmethod
    def of_row(cls, row: Float64s) -> "Distortion":
        """Return what ``as_row`` gave."""
        return cls(*map(float, row))

    def _maps(self, width: int, height: int) -> tuple[Floats, Floats]:
        scale = (FRAME_WIDTH / width, FRAME_HEIGHT / height)
        columns, rows = np.meshgrid((np.arange(width) + 0.5) * scale[0], (np.arange(height) + 0.5) * scale[1])
        film = self.bent(np.stack([columns.ravel(), rows.ravel()], axis=1)) / scale - 0.5  # OpenCV's are integers
        across, down = film.T.reshape(2, height, width).astype(np.float32)
        return across, down

    def _fills(self, enlarged: float) -> bool:
        along = np.linspace(-1, 1, 65)
        border = np.concatenate([np.stack([along, np.full(65, side)], 1) for side in (-1.0, 1.0)])
        border = np.concatenate([border, border[:, ::-1]]) * CENTRE + CENTRE
        film = self._from_units(self._moved(self._units(border) / enlarged)) - CENTRE
        return bool((np.abs(film) <= CENTRE + 0.5).all())

    def _moved(self, points: Float64s) -> Float64s:
        x, y = points.T
        r2 = x * x + y * y
        radial = 1 + self.k1 * r2 + self.k2 * r2 * r2
        moved_x = x * radial + 2 * self.p1 * x * y + self.p2 * (r2 + 2 * x * x)
        moved_y = y * radial + 2 * self.p2 * x * y + self.p1 * (r2 + 2 * y * y)
        return np.stack([moved_x, moved_y], axis=1)

    def _units(self, pixels: Float64s) -> Float64s:
        return np.asarray((np.asarray(pixels, np.float64) - CENTRE) / (1, self.aspect) / HALF_DIAGONAL)

    def _from_units(self, points: Float64s) -> Float64s:
        return np.asarray(points * HALF_DIAGONAL * (1, self.aspect) + CENTRE)


def remapped(rgb: Images, maps: Iterable[tuple[Floats, Floats]]) -> Images:
    """Return frames (n, h, w, 3) uint8 with the pixels that lie elsewhere in the film; black columns as they are.

    maps: for each frame, where in it each pixel comes from, across and down (h, w), centres at integers.
    """
    import cv2

    moved, inside = np.empty_like(rgb), np.ones(rgb.shape[2], np.bool_)
    shown = shown_columns(rgb)
    for number, (frame, (across, down)) in enumerate(zip(rgb, maps, strict=False)):
        moved[number] = cv2.remap(frame, across, down, cv2.INTER_CUBIC, None, cv2.BORDER_REPLICATE)
        within = (across >= shown.start + BESIDE_SIDES) & (across <= shown.stop - 1 - BESIDE_SIDES)
        inside &= within.all(axis=0)
    if shown != slice(0, rgb.shape[2]):
        moved[:, :, ~inside] = 0
    return moved


STRAIGHT = Distortion()
"""A pinhole camera with square pixels."""
