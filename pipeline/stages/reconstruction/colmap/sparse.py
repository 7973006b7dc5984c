"""Structure from motion with COLMAP, in a process of its own; its one argument is a folder.

Reads ``FOLDER/frames/*.png``, ``FOLDER/settings.json`` and ``FOLDER/task.json``, writes ``FOLDER/sparse.npz``. A
process of its own, because COLMAP may crash on odd input and because its libraries clash with OpenCV's.

Global mapping (GLOMAP, Pan et al. 2024) on strictly verified pairs, from two focal lengths: of the ways tried on 12
real clips nothing else placed five of five walks. Incremental mapping breaks them, or is grossly wrong unseen.
"""

import math
import os
import resource
import shutil
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pycolmap
from PIL import Image

from pipeline.contract.arrays import Float64s
from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH
from pipeline.stages.reconstruction.colmap.adjust import adjusted, held_to, lens_of, radial_of, refined, with_focal
from pipeline.stages.reconstruction.colmap.bend import bend_of
from pipeline.stages.reconstruction.colmap.evidence import compared, match_signs, median_turn
from pipeline.stages.reconstruction.colmap.features import THREADS, Attempt, find_matches
from pipeline.stages.reconstruction.colmap.lens import RadialFit, strong_bend
from pipeline.stages.reconstruction.colmap.pairs import Features, turns_between, verified
from pipeline.stages.reconstruction.colmap.parallax import parallax_of
from pipeline.stages.reconstruction.colmap.settings import ColmapSettings, TrustSettings
from pipeline.stages.reconstruction.colmap.sparse_model import MASKS, SparseModel
from pipeline.stages.reconstruction.colmap.task import OWN_FRAMES, XFEAT, Task
from pipeline.stages.reconstruction.colmap.trust import is_trusted
from pipeline.stages.reconstruction.colmap.zoom import steadied
from pipeline.stages.reconstruction.first_look import LensFit

ROUNDS = 3
"""Times that a zoom is taken out of the pictures: each finds about half of what is left."""

XFEAT_TRIALS = 1000
"""Samples drawn for a pair of XFeat's matches: five of them are all right in one of 98 where 0.4 are."""

NEW_PRIOR = 0.05
"""ln ratio of two focal lengths below which to start from both would tell nothing new."""


class Mapped(NamedTuple):
    """Cameras that were found, and what COLMAP has of them; None where there is nothing."""

    model: SparseModel
    colmap: pycolmap.Reconstruction | None


def solve(
    folder: Path, settings: ColmapSettings, task: Task, rounds: int = ROUNDS, worst: float = math.inf
) -> SparseModel:
    """Find the cameras of the frames in ``folder``.

    Where the frames of the clip ask for a zoom that the cameras do not have, the zoom is taken out of the pictures and
    all begins anew, until nothing is asked for; what comes of it counts if it explains the pictures better than the
    cameras did, and than they do with a lens that bends: both find the other one where only one of them is there.

    worst: pixels that the reprojection error of coarse features must stay below; else they are all that is found.
    """
    model, coarse = _solve(folder, settings, task, worst)
    if np.all(model.zoom_asked == 1) or rounds == 0 or task != OWN_FRAMES:
        return model
    longest = float(model.zoom_asked.max())
    lengthened = longest / model.zoom_asked
    _write_steadied(folder, lengthened)
    bound = coarse.error_with_zoom(model.asks_for_zoom)
    again = solve(folder / "steadied", settings.without_lens(), task, rounds - 1, bound)
    is_better = again.reprojection_error < model.error_with_zoom(model.asks_for_zoom)
    if not (is_trusted(again, settings.trust) and is_better):
        return model
    return replace(again, zoom=again.zoom / lengthened)


def _write_steadied(folder: Path, lengthened: Float64s) -> None:
    """Write the frames of ``folder`` as a lens (n,) times as long shows them, into a folder of their own there."""
    (folder / "steadied" / "frames").mkdir(parents=True)
    for path, zoom in zip(sorted((folder / "frames").iterdir()), lengthened.tolist(), strict=True):
        with Image.open(path) as picture:
            steadied(picture, zoom).save(folder / "steadied" / "frames" / path.name)
    if (folder / MASKS).exists():  # those of longer focal lengths show less of the black sides, never more
        shutil.copytree(folder / MASKS, folder / "steadied" / MASKS)


def _solve(folder: Path, settings: ColmapSettings, task: Task, worst: float) -> tuple[SparseModel, SparseModel]:
    """Find cameras of one set of frames with one kind of features, and what they say of the lens.

    Where matches alone say that it bends, nothing else is found: mapping would break on what a lens bends so much. Nor
    are fine features where coarse ones do: of bent pictures they give no better cameras; nor where coarse ones that ask
    for nothing else leave too large an error (``worst``), as fine ones would.

    Returns the cameras, and those of coarse features.
    """
    lens, coarse = settings.lens, Attempt(folder, settings, task, 0)
    asked = lens.correct and task == OWN_FRAMES
    find_matches(coarse)
    if asked and (told := bend_of_matches(coarse)).lens.bends:
        nothing = SparseModel.empty(coarse.frame_count, math.nan)
        return replace(nothing, lens_fit=told.as_array()), nothing
    found = first = best_model(coarse)
    if is_settled(first.model, settings.trust) and not first.model.reprojection_error < worst:
        return first.model, first.model
    radial = _radial_of(found)
    bend = strong_bend(radial, lens) if asked else None
    if bend is None and (finer := _finer(coarse, found)) is not found:
        found, radial = finer, _radial_of(finer)
        bend = strong_bend(radial, lens) if asked else None
    return _with_lens(found, radial, bend, settings if asked else None), first.model


def is_settled(model: SparseModel, trust: TrustSettings) -> bool:
    """Tell whether a model can be trusted and asks for no zoom that it does not have."""
    return is_trusted(model, trust) and bool(np.all(model.zoom_asked == 1))


def _with_lens(
    found: Mapped, radial: RadialFit | None, bend: LensFit | None, asked: ColmapSettings | None
) -> SparseModel:
    """Return a model with what it says of its lens, where that is asked for."""
    model, refined_model = found
    if radial is not None:
        model = replace(model, signs={**model.signs, "bend": radial.asked})
    if bend is not None:
        return replace(model, lens_fit=bend.as_array())
    if asked is None or refined_model is None:
        return model
    zoomed = bool(np.any(model.zoom != 1) or np.any(model.zoom_asked != 1))
    fit = lens_of(refined_model, asked.lens, zoomed)
    if not (np.any(model.zoom != 1) or model.asks_for_zoom):
        fit = with_focal(fit, refined_model)
    return replace(model, lens_fit=fit.as_array())


def _radial_of(found: Mapped) -> RadialFit | None:
    """Return what one coefficient makes of cameras; None where there are none, or they have a zoom."""
    is_zoomed = bool(np.any(found.model.zoom != 1))
    return None if found.colmap is None or is_zoomed else radial_of(found.colmap)


def bend_of_matches(attempt: Attempt) -> LensFit:
    """Return what the matches that were found say of the lens."""
    with closing(pycolmap.Database.open(attempt.database)) as database:
        return bend_of(Features(database), attempt.settings.lens, attempt.settings.sparse.seed)


def _finer(attempt: Attempt, found: Mapped) -> Mapped:
    """Return the cameras that coarse features found or, where those do not do, those of fine ones.

    Coarse features come first, which cost a sixth of fine ones. Where a clip that is no fast walk (blurred, compressed)
    is placed imprecisely or cannot be trusted, fine ones are found; they count where they are trusted and lose no
    frame. Mapping starts from the focal length of coarse cameras that are trusted, and from no other. Of a fast walk
    frames between tell more. Where nothing passes, the best of what was found is returned, for the caller to refuse.
    """
    settings, task, coarse = attempt.settings, attempt.task, found.model
    trusted = is_trusted(coarse, settings.trust)
    is_fast = median_turn(coarse) > settings.walks.fast_turn
    is_still = not coarse.parallax >= settings.trust.min_parallax
    is_precise = trusted and coarse.reprojection_error <= settings.sparse.precise
    if task != OWN_FRAMES or is_precise or is_still or is_fast:
        return found
    known = Task(priors=(float(coarse.intrinsics[0, 0]) / FRAME_WIDTH,))
    again = replace(attempt, task=known if trusted else task, first_octave=-1)
    find_matches(again)
    fine = best_model(again)
    fine = fine._replace(model=compared(fine.model, [coarse]))
    if trusted and fine.model.registered.sum() < coarse.registered.sum():
        return found
    return fine if is_trusted(fine.model, settings.trust) else found


def best_model(attempt: Attempt) -> Mapped:
    """Map from every focal length on the same matches, and return the best model.

    Better is what is trusted; of two such what has a tenth more of the frames; and else what lies nearer to the
    epipolar lines of its pairs. Where no two agree, the focal length that the best of them found is a further one to
    start from: it is near the truth even where cameras are wrong. That it agrees with that one itself says nothing.
    """
    found: list[SparseModel] = []
    mapped: dict[float, pycolmap.Reconstruction] = {}
    with closing(pycolmap.Database.open(attempt.database)) as database:
        features = Features(database)
        for prior in attempt.priors:
            found.append(model_from(prior, attempt, database, features, mapped))
            if not found[0].parallax >= attempt.settings.trust.min_parallax:
                return Mapped(found[0], None)
        found = [compared(model, [other for other in found if other is not model]) for model in found]
        best = max(found, key=lambda model: rank(model, attempt.settings.trust))
        again = float(best.intrinsics[0, 0]) / FRAME_WIDTH
        is_new = min(abs(math.log(max(again, 1e-9) / prior)) for prior in attempt.priors) > NEW_PRIOR
        agreed = best.signs.get("apart", math.nan) <= attempt.settings.trust.signs.max_apart
        if best.registered.any() and is_new and not agreed:
            others = [model for model in found if model is not best]
            found.append(compared(model_from(again, attempt, database, features, mapped), others))
    best = max(found, key=lambda model: rank(model, attempt.settings.trust))
    return Mapped(best, mapped.get(best.prior))


def rank(model: SparseModel, trust: TrustSettings) -> tuple[bool, int, float]:
    """Return what says how good a model is: trusted or not, tenths of the frames, nearness to epipolar lines."""
    distance = np.nan_to_num(model.signs.get("epipolar", math.nan), nan=math.inf)
    return is_trusted(model, trust), round(10 * float(model.registered.mean())), -float(distance)


def model_from(
    prior: float,
    attempt: Attempt,
    database: pycolmap.Database,
    features: Features,
    mapped: dict[float, pycolmap.Reconstruction],
) -> SparseModel:
    """Verify the matches with one focal length and map; the clip's own frames of what comes, empty without parallax.

    mapped: takes in what came of mapping and refining.
    """
    settings, count = attempt.settings, attempt.frame_count
    (camera,) = database.read_all_cameras()
    camera.params = [prior * FRAME_WIDTH, FRAME_WIDTH / 2, FRAME_HEIGHT / 2]
    database.update_camera(camera)
    pairs = verified(database, features, verification(settings, attempt.task))
    parallax = parallax_of(database)
    model = SparseModel.empty(count, parallax)
    if parallax >= settings.trust.min_parallax:
        models = sorted(map_globally(attempt), key=lambda model: -model.num_reg_images())
        if models:
            known = settings.lens.focal
            mapped[prior] = held_to(models[0], known * FRAME_WIDTH) if known else refined(models[0], settings.sparse)
            sizes = tuple(each.num_reg_images() for each in models)
            model = adjusted(mapped[prior], sizes, count, parallax, is_focal_known=known is not None)
    model = replace(model, prior=prior, turns=turns_between(pairs, count), signs=match_signs(model, pairs))
    return model if attempt.task.own is None else model.only(np.array(attempt.task.own))


def verification(settings: ColmapSettings, task: Task) -> pycolmap.TwoViewGeometryOptions:
    """Return how matches are verified: strictly, as false pairs glue rigid pieces together."""
    options = pycolmap.TwoViewGeometryOptions()
    walks, xfeat = settings.walks, task.features == XFEAT
    options.min_num_inliers = max(settings.sparse.min_inliers, walks.xfeat_inliers if xfeat else walks.min_inliers)
    options.min_inlier_ratio = walks.xfeat_inlier_ratio if xfeat else walks.min_inlier_ratio
    options.ransac.max_error = settings.walks.max_error
    if xfeat:
        options.ransac.max_num_trials = XFEAT_TRIALS
    options.ransac.random_seed = settings.sparse.seed
    return options


def map_globally(attempt: Attempt) -> list[pycolmap.Reconstruction]:
    """Solve all cameras at once."""
    options = pycolmap.GlobalPipelineOptions()
    options.num_threads = THREADS
    options.random_seed = attempt.settings.sparse.seed
    options.min_num_matches = attempt.settings.sparse.min_inliers
    models = pycolmap.global_mapping(attempt.database, attempt.folder / "frames", attempt.folder, options)
    return list(models.values())


def _limit_processor_time(seconds: float) -> None:
    """Let the kernel end this process (SIGXCPU) after so much work; how busy the machine is makes no difference."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    wanted = max(1, math.ceil(seconds))
    resource.setrlimit(resource.RLIMIT_CPU, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))


def main(folder: Path) -> None:
    """Read frames, settings and the task from ``folder``, write ``sparse.npz`` there."""
    work(folder, lambda settings, task: solve(folder, settings, task).save(folder / "sparse.npz"))


def work(folder: Path, do: Callable[[ColmapSettings, Task], None]) -> None:
    """Do something with the settings and the task that ``folder`` holds, in a process that is there for it alone."""
    settings = ColmapSettings.model_validate_json((folder / "settings.json").read_text())
    task = Task.model_validate_json((folder / "task.json").read_text())
    _limit_processor_time(settings.sparse.timeout_s)
    pycolmap.logging.minloglevel = pycolmap.logging.FATAL.value
    pycolmap.set_random_seed(settings.sparse.seed)
    try:
        do(settings, task)
    except (MemoryError, OSError) as error:
        # By their status these are told from what the pictures are to blame for.
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        sys.exit(os.EX_TEMPFAIL if isinstance(error, MemoryError) else os.EX_IOERR)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
