"""What a backend says of the lens at its first look at a clip, and what all clips of a video say together."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np

from pipeline.contract.arrays import Float64s, Images
from pipeline.contract.errors import ClipError
from pipeline.contract.records import Reconstruction
from pipeline.geometry.distortion import STRAIGHT, Distortion
from pipeline.stages.reconstruction.base import FramesBetween


@dataclass(frozen=True)
class LensFit:
    """What one clip says of its lens.

    lens: as fitted, straight where a bend foretells nothing. plain, fitted: held-out error without and with it, pixels.
    weight: observations that were held out; 0 where the clip tells nothing.
    """

    lens: Distortion
    plain: float
    fitted: float
    weight: int

    def as_array(self) -> Float64s:
        """Return it as numbers (8,)."""
        return np.array([*self.lens.as_row(), self.plain, self.fitted, self.weight])

    @classmethod
    def of_array(cls, values: Float64s) -> "LensFit":
        """Return what ``as_array`` gave."""
        return cls(Distortion.of_row(values[:-3]), float(values[-3]), float(values[-2]), int(values[-1]))


UNTOLD = LensFit(STRAIGHT, 0.0, 0.0, 0)
"""Of a clip that tells nothing."""


class FirstLook(NamedTuple):
    """What came of a clip while its lens was not known. result: None where a bend was found first of all."""

    fit: LensFit
    result: Reconstruction | ClipError | None


class Ballot(NamedTuple):
    """What the clips of a video say together: their lens, and whether pixels are square whatever one clip says."""

    lens: Distortion
    square: bool


@runtime_checkable
class FindsLens(Protocol):
    """A backend of the stage that tells how a lens bends."""

    def first_look(self, rgb: Images, scratch: Path, between: FramesBetween) -> FirstLook:
        """Look at frames (n, 480, 640, 3) uint8 RGB; ``scratch`` is an empty folder for temporary files."""
        ...

    def vote(self, fits: Sequence[LensFit]) -> Ballot:
        """Return what the clips of a video say together."""
        ...

    def reconstruct_square(self, rgb: Images, scratch: Path, between: FramesBetween) -> Reconstruction:
        """Reconstruct as ``WalkReconstructor`` does, without asking for the lens; pixels are known to be square."""
        ...
