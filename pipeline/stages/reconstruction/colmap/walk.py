"""The cameras of a clip, in rungs: its own frames, then frames between them, then features for rooms without texture.

Each rung costs more than the one before and is only tried where what was found so far cannot be trusted, or leaves many
frames without a camera. Frames between are looked at for the cameras alone; they are no frames of the clip.
"""

from collections.abc import Callable
from dataclasses import replace
from itertools import chain, zip_longest
from pathlib import Path

import numpy as np

from models.xfeat import check_weights, package_folder
from pipeline.contract.arrays import Float64s, Images, Int64s
from pipeline.contract.errors import ReconstructionCrashed
from pipeline.contract.records import FRAME_WIDTH
from pipeline.stages.reconstruction.base import FramesBetween
from pipeline.stages.reconstruction.colmap.settings import ColmapSettings, WalkSettings
from pipeline.stages.reconstruction.colmap.signs import with_best_agreement
from pipeline.stages.reconstruction.colmap.sparse_model import SparseModel
from pipeline.stages.reconstruction.colmap.task import OWN_FRAMES, XFEAT, Task
from pipeline.stages.reconstruction.colmap.trust import agrees, is_trusted

Solver = Callable[[Images, Path, ColmapSettings, Task], SparseModel]
"""Finds the cameras of frames, with an empty folder to work in."""


def find_walk(
    solve: Solver, rgb: Images, scratch: Path, settings: ColmapSettings, between: FramesBetween | None
) -> SparseModel:
    """Return the cameras of the frames ``rgb``, trusted or not, with the signs of the rung that they come from."""
    if settings.walks.xfeat:
        check_weights(package_folder())  # else what is missing would pass for a fault of the clip
    found = [solve(rgb, scratch, settings, OWN_FRAMES)]
    if is_enough(found[0], settings) or found[0].parallax < settings.trust.min_parallax:
        return found[0]
    frames, own = rgb, np.arange(len(rgb))
    extra = between(frames_wanted(found[0].turns, settings.walks)) if between else []
    if any(len(pictures) for pictures in extra):
        frames, own = interleaved(rgb, extra)
        task = Task(window=settings.walks.window, priors=known_focal(found[0]))
        found += _further(lambda: solve(frames, scratch / "denser", settings, task), own, found)
    if settings.walks.xfeat and not is_enough(found[-1], settings):
        last = Task(features=XFEAT, window=settings.walks.xfeat_window, priors=known_focal(best(found, settings)))
        found += _further(lambda: solve(frames, scratch / XFEAT, settings, last), own, found)
    return best(found, settings)


def _further(rung: Callable[[], SparseModel], own: Int64s, earlier: list[SparseModel]) -> list[SparseModel]:
    """Return the model of a further rung, of the clip's own frames; none where it crashed, as earlier ones stand."""
    try:
        model = rung().only(own)
    except ReconstructionCrashed:
        return []
    poses = [other.camera_to_world for other in earlier]
    return [replace(model, signs=with_best_agreement(model.signs, model.camera_to_world, poses))]


def is_enough(model: SparseModel, settings: ColmapSettings) -> bool:
    """Tell whether no further rung is needed: trusted, most frames placed, and of a fast walk two models agree."""
    walks, signs = settings.walks, model.signs
    if not is_trusted(model, settings.trust, walks) or model.registered.mean() < walks.min_share:
        return False
    return signs.median_turn <= walks.fast_turn or agrees(signs, walks)


def best(found: list[SparseModel], settings: ColmapSettings) -> SparseModel:
    """Return the model that is trusted, then that with most frames by tenths of them, then the one found last."""
    trusted = [is_trusted(model, settings.trust, settings.walks) for model in found]
    shares = [round(10 * float(model.registered.mean())) for model in found]
    return found[max(range(len(found)), key=lambda k: (trusted[k], shares[k], k))]


def known_focal(model: SparseModel) -> tuple[float, ...]:
    """Return the focal length that a model found, picture widths: it is near the truth even where cameras are wrong."""
    return (float(model.intrinsics[0, 0]) / FRAME_WIDTH,) if model.registered.any() else ()


def frames_wanted(turns: Float64s, walks: WalkSettings) -> list[int]:
    """Return how many frames to look at between each frame and the next, so that no step turns far.

    turns: (n - 1,) degrees, nan where the two pictures do not tell, which is where the walk is fastest.
    """
    steps = np.where(np.isnan(turns), 2, np.ceil(np.nan_to_num(turns) / walks.step_turn) - 1)
    return [int(count) for count in np.clip(steps, 0, walks.max_between)]


def interleaved(rgb: Images, extra: list[Images]) -> tuple[Images, Int64s]:
    """Return all frames in their order, and the places (n,) of the clip's own among them."""
    rows = list(chain.from_iterable((frame[None], more) for frame, more in zip_longest(rgb, extra, fillvalue=rgb[:0])))
    lengths = np.cumsum([0, *(len(row) for row in rows)])
    return np.concatenate(rows), lengths[:-1:2].astype(np.int64)
