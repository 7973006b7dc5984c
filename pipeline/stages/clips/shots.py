"""Finds the shots of a video and the cuts, fades and dissolves between them, in one pass over its frames."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import GrayImages, Images
from pipeline.contract.errors import BrokenVideo
from pipeline.contract.records import WHOLE, Box
from pipeline.media import DecodedFrame, iterate, probe
from pipeline.stages.clips.bars import BarSearch
from pipeline.stages.clips.correspondence import correspondence, film_of, flow
from pipeline.stages.clips.dissolves import DissolveSearch
from pipeline.stages.clips.settings import ClipsSettings

HEIGHT = 240
SMALL = (160, 120)
# Some editors leave one blended frame at a cut, so that the frames to compare are those beside it.
BLENDED_S = 0.04
# Bars are those of so many seconds before a cut.
BARS_S = 2.0
# A fade is over where the level rises by less than this, 8-bit levels a second; one of 2 s from a dim room has 30.
FADE_SLOPE = 8.0
FADE_MAX_S = 3.0


@dataclass(frozen=True)
class Shot:
    """Frames ``start_frame`` up to, not including, ``end_frame``, that show one shot and nothing else.

    box: the part of the picture that holds the film.
    """

    start_frame: int
    end_frame: int
    box: Box = WHOLE


@dataclass(frozen=True)
class Transition:
    """Frames ``start_frame`` up to, not including, ``end_frame``, that belong to neither shot.

    A cut has none: both numbers are that of the first frame of the new shot.
    """

    kind: Literal["cut", "dissolve", "fade"]
    start_frame: int
    end_frame: int


@dataclass(frozen=True)
class ShotList:
    """The shots of a video of n frames, in order, and what lies between them.

    time_s: (n,) float64, presentation times. sharpness: (n,) float32, variance of the Laplacian at 240 rows.
    joins: frames at which another recording begins. lost: damaged packets that were skipped.
    """

    shots: tuple[Shot, ...]
    transitions: tuple[Transition, ...]
    time_s: NDArray[np.float64]
    sharpness: NDArray[np.float32]
    joins: frozenset[int] = frozenset()
    lost: int = 0


class CutScores(NamedTuple):
    """How well found cuts agree with true ones."""

    precision: float
    recall: float
    f1: float


def detect_shots(path: Path, settings: ClipsSettings, progress: Callable[[float], None]) -> ShotList:
    """Cut a video into shots.

    Memory is bounded: a few small pictures and three numbers a frame.

    Raises:
        BrokenVideo: a frame does not decode.
    """
    held = probe(path)
    scan = _Scan(settings, held.fps)
    for frame in iterate(path, HEIGHT):
        scan.add(frame)
        progress(min(1.0, frame.index / held.frame_count))
    if not scan.time_s:
        raise BrokenVideo(f"{path.name} holds no frame")
    transitions = scan.transitions()
    bare = _between(transitions, len(scan.time_s))
    shots = tuple(replace(shot, box=scan.bars.box(shot.start_frame, shot.end_frame)) for shot in bare)
    times, sharpness = np.array(scan.time_s), np.array(scan.sharpness, np.float32)
    return ShotList(shots, transitions, times, sharpness, frozenset(scan.joins), scan.lost)


def cut_scores(found: Sequence[int], true: Sequence[int], tolerance: int) -> CutScores:
    """Compare cuts, each the first frame of a new shot; every true one is matched once, at most ``tolerance`` away."""
    free = sorted(true)
    hits = 0
    for cut in sorted(found):
        match = next((other for other in free if abs(other - cut) <= tolerance), None)
        if match is not None:
            free.remove(match)
            hits += 1
    precision = hits / len(found) if found else 1.0
    recall = hits / len(true) if true else 1.0
    return CutScores(precision, recall, 2 * precision * recall / max(precision + recall, 1e-9))


class _Scan:
    """What is remembered of the frames seen so far."""

    def __init__(self, settings: ClipsSettings, fps: float) -> None:
        from scenedetect import AdaptiveDetector, ThresholdDetector

        self.time_s: list[float] = []
        self.sharpness: list[float] = []
        self.joins: list[int] = []
        self.lost = 0
        self.bars = BarSearch(fps)
        self._settings = settings
        self._fps = fps
        self._size: tuple[int, int] | None = None
        self._level: list[float] = []
        self._cuts: list[int] = []
        self._fades: list[int] = []
        self._adaptive = AdaptiveDetector(settings.cut_ratio, 1, min_content_val=settings.cut_content_min)
        self._threshold = ThresholdDetector(settings.black_level, 1)
        self._dissolves = DissolveSearch(settings, fps, self.bars.box)
        self._beside_cut = min(round(BLENDED_S * fps), self._adaptive.window_width)
        self._recent: deque[GrayImages] = deque(maxlen=2 * self._adaptive.window_width + 2)

    def add(self, frame: DecodedFrame) -> None:
        """Take in the next frame."""
        from scenedetect import FrameTimecode

        rgb = self._of_one_size(frame.rgb)
        gray = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)
        self.joins += [] if frame.follows else [frame.index]
        self.lost = frame.lost
        self.bars.add(frame.index, gray)
        self._recent.append(np.asarray(cv2.resize(gray, SMALL, interpolation=cv2.INTER_AREA), np.uint8))
        self.time_s.append(frame.time_s)
        detail = np.asarray(cv2.Laplacian(gray, cv2.CV_32F), np.float32)
        self.sharpness.append(float(detail.var()))
        self._level.append(float(gray.mean()))
        timecode, bgr = FrameTimecode(frame.index, self._fps), np.ascontiguousarray(rgb[..., ::-1])
        candidates = [cut.frame_num for cut in self._adaptive.process_frame(timecode, bgr)]
        self._cuts += [cut for cut in candidates if self._shows_new_scene(cut, frame.index)]
        self._fades += [fade.frame_num for fade in self._threshold.process_frame(timecode, bgr)]
        self._dissolves.add(frame.index, self._recent[-1], detail)

    def transitions(self) -> tuple[Transition, ...]:
        """Return all transitions in order, none of which overlap."""
        ends = (0, len(self._level) - 1)
        fades = {span for frame in (*self._fades, *ends) if (span := self._fade_about(frame)) is not None}
        found = [Transition("cut", join, join) for join in self.joins]
        found += [Transition("fade", *span) for span in sorted(fades) if _apart(span, found)]
        found += [Transition("dissolve", *span) for span in self._dissolves.ranges() if _apart(span, found)]
        found += [Transition("cut", cut, cut) for cut in self._cuts if _apart((cut, cut), found)]
        return tuple(sorted(found, key=lambda transition: transition.start_frame))

    def _of_one_size(self, rgb: Images) -> Images:
        """Return a picture in the size of the first one: where the film's size changes, what is compared must not."""
        size = (rgb.shape[1], rgb.shape[0])
        self._size = self._size or size
        return rgb if size == self._size else np.asarray(cv2.resize(rgb, self._size), np.uint8)

    def _shows_new_scene(self, cut: int, newest: int) -> bool:
        before, after = max(cut - 1 - self._beside_cut, 0), cut + self._beside_cut
        box = self.bars.box(cut - round(BARS_S * self._fps), newest + 1)
        old, new = (film_of(self._recent[frame - newest - 1], box) for frame in (before, after))
        return correspondence(old, new, [flow(old, new)]) < self._settings.correspondence_min

    def _fade_about(self, frame: int) -> tuple[int, int] | None:
        """Return the black frames about ``frame`` with the slopes that lead down to them and up again."""
        if self._level[frame] >= self._settings.black_level:
            return None
        backwards = self._level[frame::-1]
        return frame - self._climb(backwards) + 1, frame + self._climb(self._level[frame:])

    def _climb(self, level: Sequence[float]) -> int:
        """Return how many frames it takes from black until the level rises no more."""
        step = max(1, round(0.1 * self._fps))
        end = next((i for i, value in enumerate(level) if value >= self._settings.black_level), len(level))
        last = min(len(level) - step, end + round(FADE_MAX_S * self._fps))
        while end < last and level[end + step] - level[end] > FADE_SLOPE * step / self._fps:
            end += 1
        return end


def _apart(span: tuple[int, int], found: list[Transition]) -> bool:
    return all(span[1] < other.start_frame or span[0] > other.end_frame for other in found)


def _between(transitions: tuple[Transition, ...], frame_count: int) -> tuple[Shot, ...]:
    starts = [0, *(transition.end_frame for transition in transitions)]
    ends = [*(transition.start_frame for transition in transitions), frame_count]
    return tuple(Shot(start, end) for start, end in zip(starts, ends, strict=True) if start < end)
