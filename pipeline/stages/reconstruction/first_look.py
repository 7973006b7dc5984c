"""What a backend says of the lens at its first look at a clip, and what all clips of a video say together."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Float64s, Images
from pipeline.contract.errors import ClipError
from pipeline.contract.records import Reconstruction
from pipeline.geometry.distortion import STRAIGHT, Distortion
from pipeline.stages.reconstruction.base import FramesBetween

SYSTEMATIC = 0.01
"""What no clip knows better, however many points it has: shutters that roll, bends too small to be found."""

CORRELATED = 2.0
"""By which a focal length is less sure than if all errors of pixels were independent: features of one point are blurred
alike in frames alike. Of 15 clips of hard and plain tours errors were 2.1 deviations (root mean square)."""


@dataclass(frozen=True)
class LensFit:
    """What one clip says of its lens.

    lens: as fitted, straight where a bend foretells nothing. plain, fitted: held-out error without and with it, pixels.
    weight: observations that were held out; 0 where the clip tells nothing. focal: length in pixels across, 0 where it
    is not told, as of a zoom. deviation: standard deviation of its natural logarithm, were all errors of pixels
    independent. readout: seconds from the first row's exposure to the last one's, readout_deviation: its standard
    deviation, infinite where it is not told.
    """

    lens: Distortion
    plain: float
    fitted: float
    weight: int
    focal: float = 0.0
    deviation: float = math.inf
    readout: float = 0.0
    readout_deviation: float = math.inf

    @property
    def spread(self) -> float:
        """Standard deviation of ln(focal length) as errors show it to be."""
        return math.hypot(CORRELATED * self.deviation, SYSTEMATIC)

    def as_array(self) -> Float64s:
        """Return it as numbers (12,)."""
        shutter = self.readout, self.readout_deviation
        row = self.lens.as_row()
        return np.array([*row, self.plain, self.fitted, self.weight, self.focal, self.deviation, *shutter])

    def of_shutter_alone(self) -> "LensFit":
        """Return what is said of the shutter, and nothing of the lens."""
        return replace(UNTOLD, readout=self.readout, readout_deviation=self.readout_deviation)

    @classmethod
    def of_array(cls, values: Float64s) -> "LensFit":
        """Return what ``as_array`` gave."""
        plain, fitted, weight, *others = map(float, values[-7:])
        return cls(Distortion.of_row(values[:-7]), plain, fitted, int(weight), *others)


FARTHEST = 4.0
"""Spreads from the focal length of a video beyond which a clip does not speak of the same lens."""

ANOTHER = 0.22
"""ln ratio of focal lengths from which on another lens filmed a clip, or another zoom, whatever it says of how sure it
is. Lenses of a camera differ by a third at least; who walks through the picture makes a clip that is sure to 2 % wrong
by 16 %."""

NEAREST = 0.01
"""ln ratio of focal lengths below which nothing is gained by doing a clip again."""

UNSURE = 0.25
"""Spread of ln(focal length) above which a clip does not tell: a camera that hardly turns knows little of it."""

LESS = 0.7
"""Spread of a video's focal length over that of a clip, below which the video knows better."""

UNTOLD = LensFit(STRAIGHT, 0.0, 0.0, 0)
"""Of a clip that tells nothing."""


class LensOfLines(NamedTuple):
    """What edges say of a video's lens. deviation: standard deviation of the coefficient; infinite: not told."""

    lens: Distortion
    deviation: float


NO_LINES = LensOfLines(STRAIGHT, math.inf)
"""Of a video whose edges tell nothing."""


FoundCameras = Mapping[str, NDArray[Any]]
"""Cameras that a backend has found and not yet looked for depth with, as arrays that it alone reads."""


class FirstLook(NamedTuple):
    """What came of a clip while its lens was not known.

    result: None where a bend was found first of all, or depth is still to come. cameras: those that it is to come of,
    with square pixels and without a zoom; else None.
    """

    fit: LensFit
    result: Reconstruction | ClipError | None
    cameras: FoundCameras | None = None


class Ballot(NamedTuple):
    """What the clips of a video say together.

    lens: how it bends. square: whether pixels are, whatever one clip says. focal: length in pixels across that all of
    them have; 0 where they do not tell. readout: seconds from the first row's exposure to the last one's; 0 where all
    are taken for exposed at once. spread: standard deviation of ln(focal).
    """

    lens: Distortion
    square: bool
    focal: float = 0.0
    readout: float = 0.0
    spread: float = 0.0


@runtime_checkable
class FindsLens(Protocol):
    """A backend of the stage that tells how a lens bends."""

    def lens_of_lines(self, clips: Iterable[Images]) -> LensOfLines:
        """Return the lens that straight edges in the clips (n, 480, 640, 3) of a video tell of, or a straight one."""
        ...

    @property
    def asks_for_motion(self) -> bool:
        """Whether ``first_look`` wants to know how fast the picture moves in each frame."""
        ...

    def first_look(self, rgb: Images, scratch: Path, between: FramesBetween, rates: Float64s | None) -> FirstLook:
        """Look at frames (n, 480, 640, 3) uint8 RGB; ``scratch`` is an empty folder for temporary files.

        rates: (n, 9), how fast each frame moves, as ``geometry.picture_motion`` says; None where nobody knows.
        """
        ...

    def vote(self, fits: Sequence[LensFit], known: float = math.inf) -> Ballot:
        """Return what the clips of a video say together.

        known: standard deviation of the bend that was undone in their pictures; infinite where none was.
        """
        ...

    def go_on(self, rgb: Images, scratch: Path, between: FramesBetween, cameras: FoundCameras) -> Reconstruction:
        """Reconstruct as ``WalkReconstructor`` does, from cameras that ``first_look`` left."""
        ...

    def reconstruct_known(
        self, rgb: Images, scratch: Path, between: FramesBetween | None, known: Ballot, draw: int = 0
    ) -> Reconstruction:
        """Reconstruct as ``WalkReconstructor`` does, without asking for the lens; the camera is known so far.

        between: None where frames of the clip itself lie between those that are given. draw: another number draws
        other samples wherever something is drawn.
        """
        ...


@runtime_checkable
class HasLastResort(Protocol):
    """A backend that has another way to find cameras of a clip, once every attempt at it was refused."""

    def may_help(self, refusals: Iterable[str]) -> bool:
        """Tell whether the other way may be taken after the errors of these codes."""
        ...

    def last_resort(self, rgb: Images, scratch: Path, refused: str) -> Reconstruction:
        """Reconstruct frames (n, 480, 640, 3) uint8 RGB the other way; ``scratch`` is an empty folder.

        refused: why the clip was refused before, for a note.

        Raises:
            ClipError: that does not find any, either.
        """
        ...
