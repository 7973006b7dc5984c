from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.contract.grid import GRID_SHAPE, VOXEL_SIZE
from pipeline.language.heat_map import contact_sheet, write_answer, write_point_cloud, write_voxels
from pipeline.language.query import Answer, FrameHeat, FrameHit, VoxelHit
from pipeline.language.voxels import world_centres
from pipeline.pictures.heat import HEIGHT, Heat, heat_colours
from pipeline.store.store import Store
from tests.pipeline.stored_room import store_room


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder = tmp_path_factory.mktemp("room")
    store_room(folder)
    return Store(folder)


def heat_of(row: int, score: float, voxels: dict[tuple[int, int, int], float]) -> FrameHeat:
    pixels = np.full((96, 128), np.nan, np.float32)
    pixels[:48] = score
    scores = np.full(GRID_SHAPE, np.nan, np.float32)
    for voxel, value in voxels.items():
        scores[voxel] = value
    return FrameHeat(FrameHit("room", row, score), Heat(pixels, scores))


def answer_of(frames: int) -> Answer:
    heats = tuple(heat_of(row, 0.4 - 0.1 * row, {(10, 20, 5): 0.3, (30, 40, 10 + row): 0.1}) for row in range(frames))
    return Answer(heats, (VoxelHit("room", 0, (10, 20, 5), (1.0, 2.0, 0.4), 0.3),))


def read_cloud(path: Path) -> tuple[np.ndarray, np.ndarray]:
    import open3d

    cloud = open3d.io.read_point_cloud(str(path))
    return np.asarray(cloud.points), np.rint(np.asarray(cloud.colors) * 255)


def test_an_answer_is_a_sheet_and_a_cloud_for_every_frame_by_rank(store: Store, tmp_path: Path):
    written = write_answer(store, answer_of(3), "a bed", tmp_path / "new" / "folder")
    assert [path.name for path in written] == [
        "contact_sheet.jpg",
        "01-room-0.ply",
        "02-room-1.ply",
        "03-room-2.ply",
    ]
    assert all(path.stat().st_size > 100 for path in written)
    assert Image.open(written[0]).format == "JPEG"


def test_a_cloud_holds_the_voxels_that_have_a_score_in_the_clips_world(store: Store, tmp_path: Path):
    heat, video = heat_of(1, 0.4, {(10, 20, 5): 0.4, (30, 40, 12): 0.1}), store.video("room")
    write_voxels(video, heat, (0.1, 0.4), tmp_path / "cloud.ply")
    points, colours = read_cloud(tmp_path / "cloud.ply")
    origin, to_grid = (video.read("occupancy", name)[1].astype(float) for name in ("origin", "grid_from_world"))
    expected = [origin + (np.array(voxel) + 0.5) * VOXEL_SIZE for voxel in ((10, 20, 5), (30, 40, 12))]
    in_grid = points @ to_grid[:3, :3].T + to_grid[:3, 3]
    np.testing.assert_allclose(in_grid, expected, atol=1e-6)
    np.testing.assert_array_equal(colours, heat_colours(np.array([0.4, 0.1], np.float32), (0.1, 0.4)))
    np.testing.assert_allclose(world_centres(origin, to_grid)[10, 20, 5], points[0], atol=1e-6)


def test_a_frame_without_a_camera_is_on_the_sheet_and_has_no_cloud(store: Store, tmp_path: Path):
    heats = (heat_of(0, 0.4, {}), heat_of(1, 0.3, {(10, 20, 5): 0.3}))
    written = write_answer(store, Answer(heats, ()), "a bed", tmp_path)
    assert [path.name for path in written] == ["contact_sheet.jpg", "02-room-1.ply"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["02-room-1.ply", "contact_sheet.jpg"]


def test_points_come_back_from_their_file_in_metres_and_colours(tmp_path: Path):
    points, colours = np.array([[0.1, -2.5, 3.25], [1e3, 0, 0]]), np.array([[255, 0, 10], [1, 2, 3]], np.uint8)
    write_point_cloud(tmp_path / "cloud.ply", points, colours)
    read = read_cloud(tmp_path / "cloud.ply")
    np.testing.assert_allclose(read[0], points)
    np.testing.assert_array_equal(read[1], colours)


def test_a_sheet_has_two_frames_a_row_each_with_its_grid(store: Store):
    one, two, three = (contact_sheet(store, answer_of(frames), "a bed") for frames in (1, 2, 3))
    cell = 240 + 8 + HEIGHT  # picture and grid of 180 pixels, eight apart
    assert one.width == pytest.approx(cell, abs=60), "the title may be wider"
    assert two.width == 2 * cell + 8
    assert three.width == two.width
    assert three.height - two.height == pytest.approx(HEIGHT + 18 + 2 * 8, abs=1)


def test_the_best_frame_is_hottest_where_the_words_are(store: Store):
    sheet = np.asarray(contact_sheet(store, answer_of(2), "a bed")).astype(int)
    first = sheet[sheet.shape[0] - HEIGHT :, :240]
    second = sheet[sheet.shape[0] - HEIGHT :, 240 + 8 + HEIGHT + 8 :][:, :240]
    redder = [(half[:80, ..., 0] - half[:80, ..., 2]).mean() for half in (first, second)]
    assert redder[0] > redder[1]
