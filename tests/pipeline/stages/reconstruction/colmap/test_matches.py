from pathlib import Path

import numpy as np
import pycolmap

from pipeline.stages.reconstruction.colmap.matches import verified_matches


def write_database(path: Path, matches: np.ndarray) -> np.ndarray:
    """Two frames of four features each, of which some were matched and verified; returns the pixels."""
    pixels = np.arange(16, dtype=np.float32).reshape(2, 4, 2)
    with pycolmap.Database.open(path) as database:
        camera = pycolmap.Camera.create(0, pycolmap.CameraModelId.SIMPLE_PINHOLE, 500, 640, 480)
        camera_id = database.write_camera(camera)
        for frame in range(2):
            image = pycolmap.Image(name=f"{3 * frame:06d}.png", camera_id=camera_id)
            image_id = database.write_image(image)
            database.write_keypoints(image_id, pixels[frame])
        geometry = pycolmap.TwoViewGeometry()
        geometry.inlier_matches = matches
        database.write_two_view_geometry(1, 2, geometry)
    return pixels


def test_verified_matches_read_as_colmap_wrote_them_from_the_database_with_most(tmp_path: Path):
    write_database(tmp_path / "few.db", np.array([[0, 0]], np.uint32))
    chosen = np.array([[0, 1], [3, 2]], np.uint32)
    pixels = write_database(tmp_path / "most.db", chosen)
    (pair,) = verified_matches(tmp_path)
    assert (pair.first, pair.second) == (0, 3)
    assert np.array_equal(pair.pixels, pixels[0][[0, 3]])
    assert np.array_equal(pair.pixels_second, pixels[1][[1, 2]])


def test_without_a_database_there_is_nothing(tmp_path: Path):
    assert verified_matches(tmp_path) == []
