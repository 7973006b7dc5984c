"""Pictures whose rows were exposed one after another, while the camera moved, as one moment would have shown them.

Row y of H is taken s = y / H - 1/2 of the readout after the middle row. What the middle row's moment sees at a pixel,
that row sees where s times the picture's motion over the whole readout (``picture_motion``) takes it.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Float64s, Floats, Images
from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH
from pipeline.geometry.distortion import CENTRE, STRAIGHT, Distortion, remapped
from pipeline.geometry.picture_motion import FOCAL, MOTION, later

MOST_ENLARGED = 1.1
"""A picture whose corners need more keeps pixels of its border there: it is blurred by so fast a turn anyway."""

_ROUNDS = 3
"""Of the search for the row that shows a pixel; each leaves a fiftieth of the error."""
_STEPS = 20
_BLOCK = 8


@dataclass(frozen=True)
class Rectification:
    """How pictures of a clip are made those of a pinhole that exposes all rows at once.

    lens: how it bends. motions: (n, 9) float64, of what each of n pictures sees from its first row's exposure to the
    last one's; None where all rows are taken for exposed at once. enlarged: by how much the pictures are enlarged about
    their centre beside what the lens asks for, so that they have no empty pixels: as ``needed`` says.
    """

    lens: Distortion = STRAIGHT
    motions: Float64s | None = None
    enlarged: float = 1.0

    def rectified(self, rgb: Images) -> Images:
        """Return frames (n, h, w, 3) uint8 of the film, 4:3, as one moment and a pinhole would have taken them.

        Black columns at the sides stay black columns, as in ``Distortion.straightened``.
        """
        if self.motions is None:
            return self.lens.straightened(rgb)
        height, width = rgb.shape[1:3]
        return remapped(rgb, (self._maps(number, width, height) for number in range(len(rgb))))

    def rectified_maps(self, maps: NDArray[Any]) -> NDArray[Any]:
        """Return maps (n, 480, 640) of labels or depth along the axis at the pixels of the rectified pictures, nearest.

        A turn changes depth along the axis by less than a hundredth; ``rectified_depth`` goes by it.
        """
        if self.motions is None:
            return self.lens.straightened_maps(maps)
        return np.stack([frame[self._places(number)] for number, frame in enumerate(maps)])

    def rectified_depth(self, depth: Floats, intrinsics: NDArray[np.floating]) -> Floats:
        """Return depth (n, 480, 640) along the axis of the middle row's camera.

        intrinsics: (n, 3, 3) of the film's camera.
        """
        moved = self.rectified_maps(depth)
        if self.motions is None:
            return np.asarray(moved, np.float32)
        return np.asarray(moved * self._shortened(intrinsics), np.float32)

    def rectified_intrinsics(self, intrinsics: NDArray[np.floating]) -> Floats:
        """Return intrinsics (n, 3, 3) of the film's camera for the rectified pictures."""
        straight = self.lens.straightened_intrinsics(intrinsics)
        if self.enlarged == 1:
            return straight
        return np.asarray(self._about_centre @ np.asarray(straight, np.float64), np.float32)

    def of_frames(self, frames: NDArray[np.int64]) -> "Rectification":
        """Return that of some of the pictures (k,)."""
        return self if self.motions is None else replace(self, motions=self.motions[frames])

    def as_rows(self, count: int) -> Float64s:
        """Return ``motions`` and ``enlarged`` of each of ``count`` pictures (n, 10), as the store keeps them."""
        motions = np.zeros((count, MOTION)) if self.motions is None else self.motions
        return np.column_stack([motions, np.full(count, self.enlarged)])

    @classmethod
    def of_rows(cls, lens: Float64s, turned: Float64s | None) -> "Rectification":
        """Return what ``as_rows`` gave of pictures, and ``Distortion.as_row`` of their lens; None: no rows."""
        if turned is None:
            return cls(Distortion.of_row(lens))
        return cls(Distortion.of_row(lens), turned[:, :MOTION], float(turned[0, MOTION]))

    @cached_property
    def _about_centre(self) -> Float64s:
        about = np.diag([self.enlarged, self.enlarged, 1.0])
        about[:2, 2] = CENTRE * (1 - self.enlarged)
        return about

    def _shortened(self, intrinsics: NDArray[np.floating]) -> Float64s:
        """Return (n, 480, 640): depth along the axis at the middle row's moment over that at the row's own."""
        assert self.motions is not None  # noqa: S101 - asked by the caller
        columns, rows = np.meshgrid(np.arange(FRAME_WIDTH) + 0.5, np.arange(FRAME_HEIGHT) + 0.5)
        pixels = np.stack([columns.ravel(), rows.ravel(), np.ones(columns.size)])
        shortened = []
        for turn, k in zip(self.motions[:, :3], self.rectified_intrinsics(intrinsics), strict=True):
            x, y, _ = np.linalg.inv(np.asarray(k, np.float64)) @ pixels
            true_turn = turn * FOCAL * self.enlarged / float(k[0, 0])
            # to first order: the third part of d + s (turn x d) over that of d, 1 + s (turn_x y - turn_y x)
            share = rows.ravel() / FRAME_HEIGHT - 0.5
            shortened.append(1 / (1 + share * (true_turn[0] * y - true_turn[1] * x)))
        return np.stack(shortened).reshape(-1, FRAME_HEIGHT, FRAME_WIDTH)

    def filmed(self, number: int, pixels: Float64s) -> Float64s:
        """Return where in the film (m, 2) pixels (m, 2) of the rectified picture ``number`` are."""
        ideal = (pixels - CENTRE) / self.enlarged + CENTRE
        if self.motions is None:
            return self.lens.bent(ideal)
        film = self.lens.bent(ideal)
        for _ in range(_ROUNDS):
            share = film[:, 1] / FRAME_HEIGHT - 0.5
            film = self.lens.bent(later(ideal, self.motions[number] * share[:, None]))
        return film

    def _maps(self, number: int, width: int, height: int) -> tuple[Floats, Floats]:
        """Return where in the film (height, width) the pixels of a picture are, centres at integers as OpenCV's are.

        They are found at the middle of every block of pixels, and between them linearly: off by 0.01 pixels.
        """
        scale = (FRAME_WIDTH / width, FRAME_HEIGHT / height)
        columns, rows = np.meshgrid(*(_BLOCK * (np.arange(-1, -(-n // _BLOCK) + 1) + 0.5) for n in (width, height)))
        film = self.filmed(number, np.stack([columns.ravel(), rows.ravel()], axis=1) * scale) / scale - 0.5
        blocks = film.reshape(*columns.shape, 2).astype(np.float32)
        fine = cv2.resize(blocks, None, fx=_BLOCK, fy=_BLOCK, interpolation=cv2.INTER_LINEAR)
        across, down = np.moveaxis(fine[_BLOCK : _BLOCK + height, _BLOCK : _BLOCK + width], -1, 0)
        return np.ascontiguousarray(across), np.ascontiguousarray(down)

    def _places(self, number: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        columns, rows = (np.floor(at + 0.5).astype(np.int64) for at in self._maps(number, FRAME_WIDTH, FRAME_HEIGHT))
        return rows.clip(0, FRAME_HEIGHT - 1), columns.clip(0, FRAME_WIDTH - 1)


def needed(lens: Distortion, motions: Float64s) -> float:
    """Return by how much pictures with ``motions`` (n, 9) are to be enlarged so that none has an empty pixel.

    ``MOST_ENLARGED`` where that is not enough.
    """
    along = np.linspace(-1, 1, 33)
    border = np.concatenate([np.stack([along, np.full(33, side)], 1) for side in (-1.0, 1.0)])
    border = np.concatenate([border, border[:, ::-1]]) * CENTRE + CENTRE

    def fills(enlarged: float) -> bool:
        tried = Rectification(lens, motions, enlarged)
        film = np.concatenate([tried.filmed(number, border) for number in range(len(motions))]) - CENTRE
        return bool((np.abs(film) <= CENTRE + 0.5).all())

    left, right = 1.0, MOST_ENLARGED
    if fills(left) or not fills(right):
        return left if fills(left) else right
    for _ in range(_STEPS):
        middle = (left + right) / 2
        left, right = (left, middle) if fills(middle) else (middle, right)
    return right
