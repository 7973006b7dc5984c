import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from pipeline.contract.arrays import Float64s
from pipeline.stages.reconstruction.colmap.parallax import rotation_residual
from tests.paths import ROOT

FOCAL = 400.0


def matches(rotation: Rotation, translation: Float64s) -> tuple[Float64s, Float64s]:
    """Pixels (200, 2) of random points in a room before and after the camera moved."""
    rng = np.random.default_rng(0)
    points = rng.uniform((-2, -1.5, 2), (2, 1.5, 5), (200, 3))
    moved = points @ rotation.as_matrix().T + translation
    before, after = (p[:, :2] / p[:, 2:] * FOCAL + (320, 240) for p in (points, moved))
    return before, after


@given(st.lists(st.floats(-0.3, 0.3), min_size=3, max_size=3))
def test_a_turn_of_the_camera_is_no_parallax(turn: list[float]):
    first, second = matches(Rotation.from_rotvec(turn), np.zeros(3))
    assert rotation_residual(first, second, FOCAL) < 1e-6


@given(st.lists(st.floats(-0.3, 0.3), min_size=3, max_size=3))
def test_a_step_to_the_side_is(turn: list[float]):
    first, second = matches(Rotation.from_rotvec(turn), np.array([0.3, 0, 0]))
    # 0.3 m at 2 to 5 m: 24 to 60 pixels of motion, of which a turn explains all but the spread of about 8.
    assert rotation_residual(first, second, FOCAL) > 4


def test_wrong_matches_do_not_pass_for_parallax():
    first, second = matches(Rotation.from_rotvec([0, 0.1, 0]), np.zeros(3))
    second[:60] += np.random.default_rng(1).uniform(-80, 80, (60, 2))
    assert rotation_residual(first, second, FOCAL) == pytest.approx(0, abs=0.5)


SYNTHETIC = """
import sys
from contextlib import closing
from pathlib import Path
import pycolmap
from pipeline.stages.reconstruction.colmap.parallax import parallax_of

pycolmap.set_random_seed(0)
options = pycolmap.SyntheticDatasetOptions()
options.num_rigs, options.num_frames_per_rig, options.num_points3D = 1, 4, 100
options.camera_width, options.camera_height = 640, 480
options.camera_model_id, options.camera_params = pycolmap.CameraModelId.SIMPLE_PINHOLE, [450.0, 320.0, 240.0]
folder = Path(sys.argv[1])
for name, images in (("empty", 0), ("moving", 4)):
    with closing(pycolmap.Database.open(folder / f"{name}.db")) as database:
        if images:
            pycolmap.synthesize_dataset(options, database)
        print(parallax_of(database))
"""


def test_matches_of_a_database_tell_how_far_cameras_moved(tmp_path: Path):
    # COLMAP and OpenCV clash in one process.
    ended = subprocess.run(
        [sys.executable, "-c", SYNTHETIC, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    empty, moving = (float(line) for line in ended.stdout.split())
    assert np.isnan(empty), "no pair matches"
    # Cameras all about the points: no turn explains what moves by a good part of the picture.
    assert 20 < moving < 640
