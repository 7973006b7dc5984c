"""Structure from motion with COLMAP, in a process of its own; its one argument is a folder.

Reads ``FOLDER/frames/*.png`` and ``FOLDER/settings.json``, writes ``FOLDER/sparse.npz``. A process of its own,
because COLMAP may crash on odd input and because its libraries clash with OpenCV's.

Global mapping (GLOMAP, Pan et al. 2024) comes first: on seven real clips it registered 16 of 16 frames where
incremental mapping with default priors went wrong on three. What fails the checks is tried the incremental way.
"""

import math
import os
import resource
import shutil
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pycolmap
from PIL import Image

from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH
from pipeline.stages.reconstruction.colmap.adjust import adjusted
from pipeline.stages.reconstruction.colmap.parallax import parallax_of
from pipeline.stages.reconstruction.colmap.settings import ColmapSettings
from pipeline.stages.reconstruction.colmap.sparse_model import MASKS, SparseModel
from pipeline.stages.reconstruction.colmap.trust import is_trusted
from pipeline.stages.reconstruction.colmap.zoom import BETTER, steadied

ROUNDS = 3
"""Times that a zoom is taken out of the pictures: each finds about half of what is left."""

THREADS = 1
"""With more, features and sums come in another order every run, and no two runs give the same cameras."""
LONGER = 1.6
"""What the focal prior is multiplied with at the last try: 0.6 becomes 55 degrees of view."""


@dataclass(frozen=True)
class Attempt:
    """One way of finding features: SIFT's first octave (-1 doubles the picture) and the focal length to start from."""

    folder: Path
    settings: ColmapSettings
    first_octave: int
    focal: float

    @property
    def database(self) -> Path:
        """COLMAP's database of features and matches, one an attempt."""
        return self.folder / f"matches_{self.first_octave}_{self.focal:.2f}.db"


def solve(folder: Path, settings: ColmapSettings, rounds: int = ROUNDS) -> SparseModel:
    """Find the cameras of the frames in ``folder``.

    Where the frames ask for a zoom that the cameras do not have, the zoom is taken out of the pictures and all begins
    anew, until nothing is asked for; what comes of it counts if it explains the pictures better. A zoom that does
    leaves nothing to be said of a lens: cameras that are stuck in a zoom find a bend that is not there.
    """
    model = _solve(folder, settings)
    if np.all(model.zoom_asked == 1) or rounds == 0:
        return model
    longest = float(model.zoom_asked.max())
    lengthened = longest / model.zoom_asked
    (folder / "steadied" / "frames").mkdir(parents=True)
    for path, zoom in zip(sorted((folder / "frames").iterdir()), lengthened.tolist(), strict=True):
        with Image.open(path) as picture:
            steadied(picture, zoom).save(folder / "steadied" / "frames" / path.name)
    if (folder / MASKS).exists():  # those of longer focal lengths show less of the black sides, never more
        shutil.copytree(folder / MASKS, folder / "steadied" / MASKS)
    without_lens = settings.model_copy(update={"lens": settings.lens.model_copy(update={"correct": False})})
    again = solve(folder / "steadied", without_lens, rounds - 1)
    if not is_trusted(again, settings.trust) or not again.reprojection_error < BETTER * model.reprojection_error:
        return model
    return replace(again, zoom=again.zoom / lengthened)


def _solve(folder: Path, settings: ColmapSettings) -> SparseModel:
    """Find cameras in three tries.

    Coarse features come first, which cost a sixth of fine ones. Where their model passes the checks and they are
    placed precisely, it is the answer; blurred and compressed pictures get fine features; what still fails, a longer
    focal length. Where nothing passes, the model with most frames is returned, for the caller's checks to refuse.
    """
    prior = settings.sparse.focal_prior
    trusted: list[SparseModel] = []
    refused: list[SparseModel] = []
    for first_octave, focal in ((0, prior), (-1, prior), (-1, prior * LONGER)):
        for model in candidates(Attempt(folder, settings, first_octave, focal)):
            if is_trusted(model, settings.trust):
                trusted.append(model)
                break
            refused.append(model)
        precise = trusted and (first_octave < 0 or trusted[0].reprojection_error <= settings.sparse.precise)
        still = refused and refused[-1].parallax < settings.trust.min_parallax
        if precise or still:
            break
    return max(reversed(trusted or refused), key=lambda model: int(model.registered.sum()))


def candidates(attempt: Attempt) -> Iterator[SparseModel]:
    """Yield the largest model of every way of mapping; a clip without parallax yields one empty model."""
    frame_count = len(list((attempt.folder / "frames").iterdir()))
    extract_features(attempt)
    match_features(attempt)
    with closing(pycolmap.Database.open(attempt.database)) as database:
        parallax = parallax_of(database)
    if not parallax >= attempt.settings.trust.min_parallax:
        yield SparseModel.empty(frame_count, parallax)
        return
    for route in (map_globally, map_incrementally):
        models = sorted(route(attempt), key=lambda model: -model.num_reg_images())
        if models:
            yield adjusted(
                models, frame_count, parallax, route.__name__, attempt.settings.sparse, attempt.settings.lens
            )
        else:
            yield SparseModel.empty(frame_count, parallax)


def extract_features(attempt: Attempt) -> None:
    """Find SIFT features of all frames: one shared pinhole camera, principal point at the centre."""
    reader = pycolmap.ImageReaderOptions()
    reader.camera_model = "SIMPLE_PINHOLE"
    reader.camera_params = f"{attempt.focal * FRAME_WIDTH},{FRAME_WIDTH / 2},{FRAME_HEIGHT / 2}"
    if (attempt.folder / MASKS).exists():
        reader.mask_path = attempt.folder / MASKS
    options = pycolmap.FeatureExtractionOptions()
    options.num_threads = THREADS
    options.sift.max_num_features = attempt.settings.sparse.max_features
    options.sift.first_octave = attempt.first_octave
    options.sift.peak_threshold = attempt.settings.sparse.peak_threshold
    pycolmap.extract_features(
        attempt.database,
        attempt.folder / "frames",
        camera_mode=pycolmap.CameraMode.SINGLE,
        reader_options=reader,
        extraction_options=options,
        device=pycolmap.Device.cpu,
    )


def match_features(attempt: Attempt) -> None:
    """Match every pair of frames and verify the matches."""
    matching = pycolmap.FeatureMatchingOptions()
    matching.num_threads = THREADS
    verification = pycolmap.TwoViewGeometryOptions()
    verification.min_num_inliers = attempt.settings.sparse.min_inliers
    verification.ransac.random_seed = attempt.settings.sparse.seed
    pycolmap.match_exhaustive(
        attempt.database,
        matching_options=matching,
        verification_options=verification,
        device=pycolmap.Device.cpu,
    )


def map_globally(attempt: Attempt) -> list[pycolmap.Reconstruction]:
    """Solve all cameras at once."""
    options = pycolmap.GlobalPipelineOptions()
    options.num_threads = THREADS
    options.random_seed = attempt.settings.sparse.seed
    options.min_num_matches = attempt.settings.sparse.min_inliers
    models = pycolmap.global_mapping(attempt.database, attempt.folder / "frames", attempt.folder, options)
    return list(models.values())


def map_incrementally(attempt: Attempt) -> list[pycolmap.Reconstruction]:
    """Grow the solution from a pair of frames."""
    options = pycolmap.IncrementalPipelineOptions()
    options.num_threads = THREADS
    options.random_seed = attempt.settings.sparse.seed
    options.min_num_matches = attempt.settings.sparse.min_inliers
    options.min_model_size = attempt.settings.trust.min_frames
    options.extract_colors = False
    models = pycolmap.incremental_mapping(attempt.database, attempt.folder / "frames", attempt.folder, options)
    return list(models.values())


def _limit_processor_time(seconds: float) -> None:
    """Let the kernel end this process (SIGXCPU) after so much work; how busy the machine is makes no difference."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    wanted = max(1, math.ceil(seconds))
    resource.setrlimit(resource.RLIMIT_CPU, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))


def main(folder: Path) -> None:
    """Read frames and settings from ``folder``, write ``sparse.npz`` there."""
    settings = ColmapSettings.model_validate_json((folder / "settings.json").read_text())
    _limit_processor_time(settings.sparse.timeout_s)
    pycolmap.logging.minloglevel = pycolmap.logging.FATAL.value
    pycolmap.set_random_seed(settings.sparse.seed)
    try:
        solve(folder, settings).save(folder / "sparse.npz")
    except (MemoryError, OSError) as error:
        # By their status these are told from what the pictures are to blame for.
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        sys.exit(os.EX_TEMPFAIL if isinstance(error, MemoryError) else os.EX_IOERR)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
