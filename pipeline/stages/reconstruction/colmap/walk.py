"""The cameras of a clip, in rungs: its own frames, then frames between them, then features for rooms without texture.

Each rung costs more than the one before and is only tried where what was found so far cannot be trusted, or leaves many
frames without a camera. Frames between are looked at for the cameras alone; they are no frames of the clip.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain, zip_longest
from pathlib import Path

import numpy as np

from models.xfeat import check_weights, package_folder
from pipeline.contract.arrays import Float64s, Images, Int64s
from pipeline.contract.errors import ReconstructionCrashed
from pipeline.contract.records import FRAME_WIDTH
from pipeline.stages.reconstruction.base import FramesBetween
from pipeline.stages.reconstruction.colmap.evidence import compared, median_turn, signs_of
from pipeline.stages.reconstruction.colmap.probability import judged
from pipeline.stages.reconstruction.colmap.settings import ColmapSettings, WalkSettings
from pipeline.stages.reconstruction.colmap.sparse_model import SparseModel
from pipeline.stages.reconstruction.colmap.task import OWN_FRAMES, XFEAT, Task
from pipeline.stages.reconstruction.colmap.trust import is_trusted, least_probability

Solver = Callable[[Images, Path, ColmapSettings, Task], SparseModel]
"""Finds the cameras of frames, with an empty folder to work in."""

SURE = 0.8
"""Probability by what cameras tell of which depth has taken 0.01 away on easy tours, and has never refused a clip."""


def rungs(
    solve: Solver,
    rgb: Images,
    scratch: Path,
    settings: ColmapSettings,
    between: FramesBetween | None,
    first: SparseModel | None = None,
) -> Iterator[SparseModel]:
    """Yield the cameras of the frames ``rgb``, trusted or not, that one rung after another finds.

    A rung that crashes yields nothing, but for the first: its crash is that of the clip. first: what that one found
    before, if it did.
    """
    walks, found = settings.walks, [first or solve(rgb, scratch, settings, OWN_FRAMES)]
    yield found[0]
    if found[0].parallax < settings.trust.min_parallax:
        return
    extra = between(frames_wanted(found[0].turns, walks)) if between else []
    frames, own = interleaved(rgb, extra)
    if len(frames) > len(rgb):
        task = Task(window=walks.window, priors=known_focal(found), own=own)
        for model in _further(solve, frames, scratch / "denser", settings, task, found):
            found.append(model)
            yield model
    if walks.xfeat:
        task = Task(features=XFEAT, priors=known_focal(found), own=own)
        yield from _further(solve, frames, scratch / XFEAT, settings, task, found)


def _further(
    solve: Solver, frames: Images, scratch: Path, settings: ColmapSettings, task: Task, earlier: Sequence[SparseModel]
) -> Iterator[SparseModel]:
    try:
        yield compared(solve(frames, scratch, settings, task), earlier)
    except ReconstructionCrashed:
        return


def check_extra(settings: WalkSettings) -> None:
    """Raise ``MissingExtra`` where XFeat is asked for and not there: else that would pass for a fault of the clip."""
    if settings.xfeat:
        check_weights(package_folder())


def is_enough(model: SparseModel, settings: ColmapSettings) -> bool:
    """Tell whether no further rung is needed.

    Most frames are placed, the model is trusted and probably right by what cameras tell, and of a fast walk two agree.
    """
    if model.registered.mean() < settings.walks.min_share or not is_trusted(model, settings.trust):
        return False
    signs, is_fast = signs_of(model), median_turn(model) > settings.walks.fast_turn
    if is_fast and not signs["apart"] <= settings.trust.signs.max_apart:
        return False
    return judged(signs).probability >= least_probability(model, settings.trust)


def is_sure(model: SparseModel, settings: ColmapSettings) -> bool:
    """Tell whether cameras of one square, steady lens are enough, and so likely right that depth will not undo it."""
    is_plain = bool(np.all(model.zoom == 1) and model.intrinsics[0, 0] == model.intrinsics[1, 1])
    return is_plain and is_enough(model, settings) and judged(signs_of(model)).probability >= SURE


def best(found: Sequence[SparseModel], settings: ColmapSettings) -> SparseModel:
    """Return the model that is trusted, then that with most frames by tenths of them, then the one found last."""
    trusted = [is_trusted(model, settings.trust) for model in found]
    shares = [round(10 * float(model.registered.mean())) for model in found]
    return found[max(range(len(found)), key=lambda k: (trusted[k], shares[k], k))]


def known_focal(found: Sequence[SparseModel]) -> tuple[float, ...]:
    """Return the focal length, picture widths, of the model with most frames: near the truth even of wrong cameras."""
    most = max(found, key=lambda model: int(model.registered.sum()))
    return (float(most.intrinsics[0, 0]) / FRAME_WIDTH,) if most.registered.any() else ()


def frames_wanted(turns: Float64s, walks: WalkSettings) -> list[int]:
    """Return how many frames to look at between each frame and the next, so that no step turns far.

    turns: (n - 1,) degrees, nan where the two pictures do not tell, which is where the walk is fastest.
    """
    steps = np.where(np.isnan(turns), 2, np.ceil(np.nan_to_num(turns) / walks.step_turn) - 1)
    return [int(count) for count in np.clip(steps, 0, walks.max_between)]


def interleaved(rgb: Images, extra: list[Images]) -> tuple[Images, tuple[int, ...]]:
    """Return all frames in their order, and the places (n) of the clip's own among them."""
    rows = list(chain.from_iterable((frame[None], more) for frame, more in zip_longest(rgb, extra, fillvalue=rgb[:0])))
    starts: Int64s = np.cumsum([0, *(len(row) for row in rows)])[:-1:2]
    return np.concatenate(rows), tuple(starts.tolist())
