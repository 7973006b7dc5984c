"""The lens of a video by the straight edges of its rooms, before any camera is looked for.

Matches of blurred, compressed, noisy pictures are off by as much as a lens bends, and cameras that are wrong bend what
they like; edges are found to a tenth of a pixel all the same, and there are hundreds of them.
"""

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Float64s, Images
from pipeline.contract.padding import shown_columns
from pipeline.geometry.distortion import Distortion
from pipeline.geometry.straight_lines import BendOfLines, bend_of, edges_of
from pipeline.stages.reconstruction.colmap.lens_settings import LensSettings
from pipeline.stages.reconstruction.colmap.overlays import overlays
from pipeline.stages.reconstruction.first_look import NO_LINES, LensOfLines

FRAMES = 6
"""Frames of a clip that are looked at, evenly spread; more show the same edges again."""

FEWEST = 60
"""Edges below which nothing is told; the fewest of films that were looked at have 100."""

UNSURE = 0.2
"""Deviation over the bend above which it is not told."""

LEAST_GAIN = 0.05
"""Share by which the cost must fall: by 0.11 to 0.40 on tours whose lens bends by 0.04 and more."""

STANDS = 0.6
"""Share of a clip's frames in which an edge stands in one place: a bar or letters, or a camera that does not move."""

_LOW, _HIGH = 60, 150
_SIDE, _REACH = 8, 9


def lens_of_lines(clips: Iterable[Images], settings: LensSettings) -> LensOfLines:
    """Return the lens that edges in the clips (n, 480, 640, 3) of a video tell of; a straight one where they do not.

    One clip after another is looked at, and only its edges stay in memory.
    """
    found = bend_of([edge for rgb in clips for edge in _edges(rgb)])
    if found is None or not is_told(found, settings):
        return NO_LINES
    return LensOfLines(Distortion(k1=found.bend), found.deviation)


def is_told(found: BendOfLines, settings: LensSettings) -> bool:
    """Tell whether edges are many, agree, and tell of a bend that matches would not tell better."""
    is_sure = found.edges >= FEWEST and found.deviation <= UNSURE * abs(found.bend)
    return is_sure and found.gain >= LEAST_GAIN and abs(found.bend) >= settings.least_of_lines


def _edges(rgb: Images) -> list[Float64s]:
    filmed = _filmed(rgb)
    chosen = np.unique(np.linspace(0, len(rgb) - 1, min(FRAMES, len(rgb))).astype(int))
    return [edge for frame in chosen for edge in edges_of(rgb[frame], filmed[frame])]


def _filmed(rgb: Images) -> NDArray[np.bool_]:
    """Tell where frames (n, h, w, 3) show what was filmed: (n, h, w), not bars, letters or what stands in place."""
    columns, laid_over = shown_columns(rgb), overlays(rgb)
    shown = np.full(rgb.shape[2], columns == slice(0, rgb.shape[2]))
    shown[columns.start + _SIDE : columns.stop - _SIDE] = True
    edges = np.stack([cv2.Canny(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), _LOW, _HIGH) > 0 for frame in rgb])
    stands = edges.mean(axis=0) > STANDS
    return shown & ~np.stack([_widened(over | stands) for over in laid_over])


def _widened(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.asarray(cv2.dilate(mask.astype(np.uint8), np.ones((_REACH, _REACH), np.uint8)) > 0)
