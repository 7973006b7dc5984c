"""Features of all frames and their matches, in COLMAP's database: what every way of mapping starts from."""

from dataclasses import dataclass
from pathlib import Path

import pycolmap

from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH
from pipeline.stages.reconstruction.colmap.settings import ColmapSettings
from pipeline.stages.reconstruction.colmap.sparse_model import MASKS
from pipeline.stages.reconstruction.colmap.task import XFEAT, Task

THREADS = 1
"""With more, features and sums come in another order every run, and no two runs give the same cameras."""


@dataclass(frozen=True)
class Attempt:
    """One way of finding features: what is asked for, and SIFT's first octave (-1 doubles the picture)."""

    folder: Path
    settings: ColmapSettings
    task: Task
    first_octave: int

    @property
    def priors(self) -> tuple[float, ...]:
        """Focal lengths that mapping starts from, picture widths."""
        sparse = self.settings.sparse
        return self.task.priors or (sparse.focal_prior, self.settings.walks.second_prior, *sparse.further_priors)

    @property
    def frame_count(self) -> int:
        """Frames that are looked at."""
        return len(list((self.folder / "frames").iterdir()))

    @property
    def database(self) -> Path:
        """COLMAP's database of features and matches, one an attempt."""
        return self.folder / f"matches_{self.first_octave}.db"


def find_matches(attempt: Attempt) -> None:
    """Find features of all frames, and matches: one shared pinhole camera, principal point at the centre."""
    reader = pycolmap.ImageReaderOptions()
    reader.camera_model = "SIMPLE_PINHOLE"
    reader.camera_params = f"{attempt.priors[0] * FRAME_WIDTH},{FRAME_WIDTH / 2},{FRAME_HEIGHT / 2}"
    if (attempt.folder / MASKS).exists():
        reader.mask_path = attempt.folder / MASKS
    if attempt.task.features == XFEAT:
        from pipeline.stages.reconstruction.colmap.xfeat_matches import write_xfeat

        write_xfeat(attempt.database, attempt.folder, reader, attempt.settings.walks)
    else:
        extract_features(attempt, reader)
        match_features(attempt)


def extract_features(attempt: Attempt, reader: pycolmap.ImageReaderOptions) -> None:
    """Find SIFT features of all frames."""
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
    """Match every pair of frames, or those that lie near in time where there are many."""
    matching = pycolmap.FeatureMatchingOptions()
    matching.num_threads = THREADS
    matching.skip_geometric_verification = True
    if attempt.task.window is None:
        pycolmap.match_exhaustive(attempt.database, matching_options=matching, device=pycolmap.Device.cpu)
        return
    near = pycolmap.SequentialPairingOptions()
    near.overlap, near.quadratic_overlap = attempt.task.window, True
    pycolmap.match_sequential(
        attempt.database, matching_options=matching, pairing_options=near, device=pycolmap.Device.cpu
    )
