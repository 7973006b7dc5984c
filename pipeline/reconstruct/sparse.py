"""Structure from motion with COLMAP, in a process of its own: ``python -m pipeline.reconstruct.sparse FOLDER``.

Reads ``FOLDER/frames/*.png`` and ``FOLDER/settings.json``, writes ``FOLDER/sparse.npz``. A process of its own,
because COLMAP may crash on odd input and because its libraries clash with OpenCV's.

Global mapping (GLOMAP, Pan et al. 2024) comes first: on seven real clips it registered 16 of 16 frames where
incremental mapping with default priors went wrong on three. What fails the checks is tried the incremental way,
then again from a longer focal length.
"""

import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pycolmap

from pipeline.errors import ClipError
from pipeline.reconstruct.adjust import adjusted
from pipeline.reconstruct.parallax import parallax_of
from pipeline.reconstruct.settings import ColmapSettings
from pipeline.reconstruct.sparse_model import SparseModel
from pipeline.reconstruct.trust import check_cameras
from pipeline.records import FRAME_HEIGHT, FRAME_WIDTH

FOCAL_FACTORS = (1.0, 1.6)
"""The focal prior and what it is multiplied with at the second try."""


def solve(folder: Path, settings: ColmapSettings) -> SparseModel:
    """Find the cameras of the frames in ``folder``: the first model that passes the checks.

    Where none does, the one with most frames, for the caller's checks to refuse.
    """
    extract_features(folder, settings)
    refused: list[SparseModel] = []
    for model in candidates(folder, settings):
        try:
            check_cameras(model, settings.trust)
        except ClipError:
            refused.append(model)
        else:
            return model
    return max(refused, key=lambda model: int(model.registered.sum()))


def candidates(folder: Path, settings: ColmapSettings) -> Iterator[SparseModel]:
    """Yield the largest model of every way of mapping; a clip without parallax yields one empty model."""
    frame_count = len(list((folder / "frames").iterdir()))
    for factor in FOCAL_FACTORS:
        match_features(folder, settings, factor)
        with closing(pycolmap.Database.open(folder / "matches.db")) as database:
            parallax = parallax_of(database)
        if not parallax >= settings.trust.min_parallax:
            yield SparseModel.empty(frame_count, parallax)
            return
        for route in (map_globally, map_incrementally):
            models = sorted(route(folder, settings), key=lambda model: -model.num_reg_images())
            if models:
                yield adjusted(models, frame_count, parallax, route.__name__, settings.sparse)
            else:
                yield SparseModel.empty(frame_count, parallax)


def extract_features(folder: Path, settings: ColmapSettings) -> None:
    """Find SIFT features of all frames: one shared pinhole camera, principal point at the centre."""
    reader = pycolmap.ImageReaderOptions()
    reader.camera_model = "SIMPLE_PINHOLE"
    focal = settings.sparse.focal_prior * FRAME_WIDTH
    reader.camera_params = f"{focal},{FRAME_WIDTH / 2},{FRAME_HEIGHT / 2}"
    options = pycolmap.FeatureExtractionOptions()
    options.num_threads = settings.threads or -1
    options.sift.max_num_features = settings.sparse.max_features
    options.sift.first_octave = settings.sparse.first_octave
    options.sift.peak_threshold = settings.sparse.peak_threshold
    pycolmap.extract_features(
        folder / "matches.db",
        folder / "frames",
        camera_mode=pycolmap.CameraMode.SINGLE,
        reader_options=reader,
        extraction_options=options,
        device=pycolmap.Device.cpu,
    )


def match_features(folder: Path, settings: ColmapSettings, focal_factor: float) -> None:
    """Match every pair of frames and verify the matches with the focal prior times ``focal_factor``."""
    with closing(pycolmap.Database.open(folder / "matches.db")) as database:
        database.clear_two_view_geometries()
        for camera in database.read_all_cameras():
            camera.focal_length = settings.sparse.focal_prior * FRAME_WIDTH * focal_factor
            database.update_camera(camera)
    matching = pycolmap.FeatureMatchingOptions()
    matching.num_threads = settings.threads or -1
    verification = pycolmap.TwoViewGeometryOptions()
    verification.min_num_inliers = settings.sparse.min_inliers
    verification.ransac.random_seed = settings.sparse.seed
    pycolmap.match_exhaustive(
        folder / "matches.db",
        matching_options=matching,
        verification_options=verification,
        device=pycolmap.Device.cpu,
    )


def map_globally(folder: Path, settings: ColmapSettings) -> list[pycolmap.Reconstruction]:
    """Solve all cameras at once."""
    options = pycolmap.GlobalPipelineOptions()
    options.num_threads = settings.threads or -1
    options.random_seed = settings.sparse.seed
    options.min_num_matches = settings.sparse.min_inliers
    models = pycolmap.global_mapping(folder / "matches.db", folder / "frames", folder, options)
    return list(models.values())


def map_incrementally(folder: Path, settings: ColmapSettings) -> list[pycolmap.Reconstruction]:
    """Grow the solution from a pair of frames."""
    options = pycolmap.IncrementalPipelineOptions()
    options.num_threads = settings.threads or -1
    options.random_seed = settings.sparse.seed
    options.min_num_matches = settings.sparse.min_inliers
    options.min_model_size = settings.trust.min_frames
    options.extract_colors = False
    models = pycolmap.incremental_mapping(folder / "matches.db", folder / "frames", folder, options)
    return list(models.values())


def main(folder: Path) -> None:
    """Read frames and settings from ``folder``, write ``sparse.npz`` there."""
    settings = ColmapSettings.model_validate_json((folder / "settings.json").read_text())
    pycolmap.logging.minloglevel = pycolmap.logging.FATAL.value
    pycolmap.set_random_seed(settings.sparse.seed)
    solve(folder, settings).save(folder / "sparse.npz")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
