"""A backend that measures how a line in its pictures is bent, and pictures of that line."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from pipeline.contract.arrays import Float64s, Images
from pipeline.contract.errors import InconsistentReconstruction, TooLittleParallax
from pipeline.contract.records import Reconstruction
from pipeline.geometry.distortion import STRAIGHT, Distortion
from pipeline.stages.reconstruction.base import FramesBetween
from pipeline.stages.reconstruction.first_look import (
    NO_LINES,
    UNTOLD,
    Ballot,
    FirstLook,
    FoundCameras,
    LensFit,
    LensOfLines,
)

BARREL = Distortion(-0.08)
EDGE = 120
"""Column of a bright line, which a barrel bends."""


@lru_cache
def picture(lens: Distortion, level: int) -> Images:
    """One vertical line as a lens shows it, (480, 640, 3); everything is at least as bright as ``level``."""
    rows, columns = np.indices((480, 640)) + 0.5
    where = lens.straight(np.stack([columns.ravel(), rows.ravel()], 1))[:, 0].reshape(480, 640)
    line = 150 * np.exp(-(((where - EDGE - 0.5) / 3) ** 2))
    return np.repeat((level + line).astype(np.uint8)[..., None], 3, 2)


def sag(rgb: Images) -> int:
    """Columns by which the line is farther right at the top than in the middle."""
    return int(rgb[0, :320, 0].argmax()) - int(rgb[240, :320, 0].argmax())


class Measuring:
    """A backend that measures how the line is bent; dark clips have no parallax.

    stretched: brightness of clips that take their pixels for stretched. focals: what clips take for their focal length,
    by brightness, else 500. square, focal, spread: what the clips agree on. later: brightness of clips whose depth
    is left for later. part: brightness of clips of which only the first frame is placed, and that are refused when done
    again with another. vague: brightness of clips that are not sure of their focal length. lines: the lens that edges
    tell of. shown: brightness of the clips that they were asked of. known: what the vote was told of it. probability:
    of being right, by brightness. helped: codes of refusals after which its last resort may be asked. attempts:
    everything that was tried, by brightness, refused or not.
    """

    name, weights, asks_for_motion = "measuring", dict[str, str](), False

    def __init__(self) -> None:
        self.asked: list[tuple[str, int, int]] = []
        self.stretched: set[int] = set()
        self.focals: dict[int, float] = {}
        self.square, self.focal, self.spread = False, 0.0, 0.0
        self.lines, self.shown, self.known = NO_LINES, list[int](), math.nan
        self.probability: dict[int, float] = {}
        self.later: set[int] = set()
        self.part: set[int] = set()
        self.vague: set[int] = set()
        self.draws: dict[int, list[int]] = {}
        self.lucky: dict[int, int] = {}
        self.ends: dict[tuple[str, int], BaseException] = {}
        self.helped: set[str] = set()
        self.attempts: dict[int, list[str]] = {}

    def _asked(self, what: str, rgb: Images, scratch: Path) -> int:
        assert list(scratch.iterdir()) == [], "every clip has an empty folder of its own"
        level = int(rgb[0, 240, 500, 0])
        self.attempts.setdefault(level, []).append(what)
        if (what, level) in self.ends:
            raise self.ends[what, level]
        self.asked.append((what, level, sag(rgb[0])))
        if level < 20:
            raise TooLittleParallax(f"brightness {level}")
        return level

    def _result(self, rgb: Images, aspect: float, focal: float = 500) -> Reconstruction:
        n = len(rgb)
        ones = np.ones((n, 6, 8), np.float32)
        intrinsics = np.tile(np.diag([focal, focal * aspect, 1]).astype(np.float32), (n, 1, 1))
        return Reconstruction(intrinsics, np.tile(np.eye(4), (n, 1, 1)), ones, ones, np.ones(n, np.bool_))

    def reconstruct(self, rgb: Images, scratch: Path) -> Reconstruction:
        return self._result(rgb, 1.2 if self._asked("reconstruct", rgb, scratch) in self.stretched else 1)

    def reconstruct_known(
        self, rgb: Images, scratch: Path, _between: FramesBetween, known: Ballot, draw: int = 0
    ) -> Reconstruction:
        level = self._asked("known", rgb, scratch)
        self.draws.setdefault(level, []).append(draw)
        if draw < self.lucky.get(level, 0):
            raise InconsistentReconstruction(f"draw {draw}")
        if level in self.part and len(rgb) > 1:
            raise TooLittleParallax(f"{len(rgb)} frames")
        return self._result(rgb, 1, known.focal or 500)

    def first_look(self, rgb: Images, scratch: Path, _between: FramesBetween, _rates: Float64s | None) -> FirstLook:
        level = self._asked("look", rgb, scratch)
        if abs(sag(rgb[0])) > 2:
            return FirstLook(LensFit(BARREL, 0.6, 0.4, 100), None)
        focal = self.focals.get(level, 500.0)
        fit = LensFit(STRAIGHT, 0.4, 0.4, 100, focal, 0.1 if level in self.vague else 0.02)
        if level in self.later:
            return FirstLook(fit, None, {"focal": np.array(focal)})
        result = self._result(rgb, 1.2 if level in self.stretched else 1, focal)
        result = replace(result, probability_right=self.probability.get(level, float("nan")))
        if level in self.part:
            result.registered[1:] = False
        return FirstLook(fit, result)

    def go_on(self, rgb: Images, scratch: Path, _between: FramesBetween, cameras: FoundCameras) -> Reconstruction:
        self._asked("go on", rgb, scratch)
        return self._result(rgb, 1, float(cameras["focal"]))

    def may_help(self, refusals: Iterable[str]) -> bool:
        return set(refusals) <= self.helped

    def last_resort(self, rgb: Images, scratch: Path, refused: str) -> Reconstruction:
        self._asked("last resort", rgb, scratch)
        return replace(self._result(rgb, 1), notes=(f"after {refused}",))

    def lens_of_lines(self, clips: Iterable[Images]) -> LensOfLines:
        self.shown = [int(rgb[0, 240, 500, 0]) for rgb in clips]
        return self.lines

    def vote(self, fits: Sequence[LensFit], known: float = math.inf) -> Ballot:
        self.known = known
        bent = [fit for fit in fits if fit.lens.bends]
        told = [fit for fit in fits if fit != UNTOLD]
        lens = bent[0].lens if 2 * len(bent) > len(told) else STRAIGHT
        return Ballot(lens, self.square, self.focal, spread=self.spread)
