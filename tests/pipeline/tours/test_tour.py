import hashlib
import subprocess
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from pipeline.contract.classes import SemanticClass
from pipeline.tours.frame_truth import FrameTruth
from pipeline.tours.timeline import TourShot
from pipeline.tours.tour import Tour
from pipeline.tours.walks import CLEARANCES, obstacles

from .conftest import SMALL

FINGERPRINT = """
import hashlib
from pipeline.tours.settings import TourSettings
from pipeline.tours.tour import Tour
tour = Tour.from_seed({seed}, TourSettings.model_validate_json('''{settings}'''))
frames = [tour.picture({frame}), tour.truth({frame}).depth, tour.truth({frame}).instances]
print(hashlib.sha256(b"".join(f.tobytes() for f in frames)).hexdigest())
"""


def indoor(tour: Tour) -> list[TourShot]:
    return [shot for shot in tour.shots if shot.kind == "indoor"]


def middle_truth(tour: Tour, shot: TourShot) -> FrameTruth:
    return tour.truth((shot.start_frame + shot.end_frame) // 2)


def world_points(truth: FrameTruth) -> np.ndarray:
    rows, columns = np.mgrid[:480, :640]
    rays = np.stack([columns + 0.5, rows + 0.5, np.ones_like(rows)], axis=-1) @ np.linalg.inv(truth.intrinsics).T
    return (rays * truth.depth[..., None]) @ truth.camera_to_world[:3, :3].T + truth.camera_to_world[:3, 3]


def test_the_same_seed_gives_the_same_frames_in_another_process(tour: Tour):
    frame = indoor(tour)[0].start_frame
    code = FINGERPRINT.format(seed=tour.seed, settings=SMALL.model_dump_json(), frame=frame)
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    here = [tour.picture(frame), tour.truth(frame).depth, tour.truth(frame).instances]
    assert answer.stdout.strip() == hashlib.sha256(b"".join(f.tobytes() for f in here)).hexdigest()


def test_pictures_do_not_depend_on_the_order_they_are_asked_for(tour: Tour):
    first = tour.picture(5)
    tour.picture(9)
    np.testing.assert_array_equal(tour.picture(5), first)


def test_coarse_texels_change_the_pictures_and_nothing_else(tour: Tour):
    coarse, frame = Tour.from_seed(tour.seed, SMALL.model_copy(update={"texel": 0.05})), indoor(tour)[0].start_frame
    assert (tour.house.mesh.texel_size.min(), coarse.house.mesh.texel_size.min()) == pytest.approx((0.02, 0.05))
    for name in ("depth", "labels", "instances", "camera_to_world"):
        np.testing.assert_array_equal(getattr(coarse.truth(frame), name), getattr(tour.truth(frame), name))
    fine, blurred = (one.picture(frame).astype(float) for one in (tour, coarse))
    assert np.abs(np.diff(blurred, axis=1)).mean() < np.abs(np.diff(fine, axis=1)).mean()
    assert blurred.mean() == pytest.approx(fine.mean(), rel=0.02)


def test_other_seeds_give_other_houses(tour: Tour):
    other = Tour.from_seed(tour.seed + 1, SMALL)
    assert [r.bounds for r in other.house.rooms] != [r.bounds for r in tour.house.rooms]


def test_floor_and_ceiling_depths_lie_on_their_planes(tour: Tour):
    for shot in indoor(tour):
        truth = middle_truth(tour, shot)
        heights = world_points(truth)[..., 2]
        floor = heights[truth.labels == SemanticClass.FLOOR]
        assert floor.size
        assert (np.abs(floor) < 0.015).all()  # rugs lie on the floor and are 12 mm thick
        ceilings = np.array([room.ceiling_height for room in tour.house.rooms])
        above = heights[truth.labels == SemanticClass.CEILING]
        assert (np.abs(above[:, None] - ceilings).min(axis=1) < 1e-3).all()  # float32 depth of a few metres


def test_depth_seen_from_one_frame_agrees_with_another(tour: Tour):
    shot = indoor(tour)[0]
    a, b = tour.truth(shot.start_frame), tour.truth(shot.end_frame - 1)
    to_b = np.linalg.inv(b.camera_to_world.astype(np.float64))
    seen = (world_points(a).reshape(-1, 3) @ to_b[:3, :3].T + to_b[:3, 3])[a.depth.ravel() > 0]
    pixels = seen @ b.intrinsics.T
    column, row = np.floor(pixels[:, :2] / pixels[:, 2:]).astype(int).T
    shown = (seen[:, 2] > 0.1) & (column >= 0) & (column < 640) & (row >= 0) & (row < 480)
    there = b.depth[row[shown], column[shown]]
    agree = np.abs(there / seen[shown, 2] - 1) < 0.02
    assert shown.mean() > 0.3
    assert agree.mean() > 0.85  # the rest is hidden by something nearer in one of the two, or on an edge


def test_a_tour_shows_things_besides_the_shell(tour: Tour):
    shown = set.union(*(set(np.unique(middle_truth(tour, shot).labels).tolist()) for shot in indoor(tour)))
    assert shown >= {SemanticClass.CEILING, SemanticClass.FLOOR, SemanticClass.WALL, SemanticClass.OBJECTS}
    assert len(shown - {255}) >= 8


def test_labels_and_instances_agree_with_the_things_of_the_house(tour: Tour):
    truth = middle_truth(tour, indoor(tour)[0])
    labels = np.array([0, *(piece.label for piece in tour.house.things)])
    np.testing.assert_array_equal(labels[truth.instances], truth.labels)


def test_the_camera_keeps_its_height_and_its_distance(tour: Tour):
    for shot in indoor(tour):
        for frame in range(shot.start_frame, shot.end_frame):
            position = tour.truth(frame).camera_to_world[:3, 3]
            room = next(r for r in tour.house.rooms if _contains(r.bounds, position))
            assert SMALL.eye_height_min - 0.02 <= position[2] <= SMALL.eye_height_max + 0.02  # shake adds millimetres
            for low_x, low_y, high_x, high_y in obstacles(tour.house, room):
                x = max(low_x - position[0], position[0] - high_x, 0)
                y = max(low_y - position[1], position[1] - high_y, 0)
                assert np.hypot(x, y) > CLEARANCES[-1][0] - 0.1  # bend and shake of the path


def _contains(bounds: tuple[float, float, float, float], position: np.ndarray) -> bool:
    return bounds[0] < position[0] < bounds[2] and bounds[1] < position[1] < bounds[3]


def test_the_camera_translates_during_a_shot(tour: Tour):
    for shot in indoor(tour):
        walked = (
            tour.truth(shot.end_frame - 1).camera_to_world[:3, 3] - tour.truth(shot.start_frame).camera_to_world[:3, 3]
        )
        seconds = (shot.end_frame - 1 - shot.start_frame) / tour.fps
        assert np.linalg.norm(walked) > 0.25 * SMALL.walking_speed * seconds


def test_a_title_card_has_no_depth_and_no_labels(tour: Tour):
    truth = tour.truth(0)
    assert truth.kind == "title"
    assert not truth.depth.any()
    assert (truth.labels == SemanticClass.UNKNOWN).all()


def test_outdoor_shots_show_sky_and_depth_but_no_indoor_class(tour: Tour):
    shot = next(shot for shot in tour.shots if shot.kind == "outdoor")
    truth = middle_truth(tour, shot)
    assert (truth.labels == SemanticClass.UNKNOWN).all()
    assert 0.05 < (truth.depth == 0).mean() < 0.9
    sky = tour.picture((shot.start_frame + shot.end_frame) // 2)[truth.depth == 0].mean(axis=0)
    assert sky[2] > sky[0]


def test_pictures_have_texture_for_structure_from_motion(tour: Tour):
    # A pair of frames needs 15 verified matches, and of a room's features at least one in ten finds its partner.
    for shot in indoor(tour):
        grey = cv2.cvtColor(tour.picture(shot.start_frame), cv2.COLOR_RGB2GRAY)
        assert len(cv2.SIFT_create().detect(grey)) > 150


def test_frames_outside_the_tour_are_refused(tour: Tour):
    with pytest.raises(IndexError, match="frames 0 to"):
        tour.truth(tour.frame_count)
    with pytest.raises(IndexError, match="frames 0 to"):
        tour.picture(-1)


def test_the_video_is_h264_with_every_frame_and_looks_like_the_pictures(tour: Tour, tmp_path: Path):
    seen: list[tuple[int, int]] = []
    tour.write_video(tmp_path / "tour.mp4", lambda done, total: seen.append((done, total)))
    with av.open(str(tmp_path / "tour.mp4")) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert (stream.width, stream.height, stream.average_rate) == (640, 480, tour.fps)
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
    assert len(frames) == tour.frame_count
    assert seen[-1] == (tour.frame_count, tour.frame_count)
    middle = tour.frame_count // 2
    error = np.abs(frames[middle].astype(float) - tour.picture(middle)).mean()
    assert error < 8  # grey levels: compression at crf 18, half-resolution colour
