"""A tour through a bad camera: its pictures and its truth agree, pixel by pixel."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.contract.classes import SemanticClass
from pipeline.contract.records import Box
from pipeline.media.frames import frames_at
from pipeline.tours.effects.clock import FrameClock
from pipeline.tours.effects.edits import Edit
from pipeline.tours.effects.settings import EffectSettings
from pipeline.tours.frame_truth import FrameTruth
from pipeline.tours.painter import pixel_centres
from pipeline.tours.tour import Tour
from pipeline.tours.truth import true_clip

from .conftest import SMALL

FAULTS = EffectSettings(
    distortion=(-0.2, -0.2),
    principal_point=0.03,
    readout_ms=(30, 30),
    exposure_ms=(10, 10),
    iso=(200, 200),
    formats=("16:9",),
    captions=1,
    logos=1,
    variable_rate=1,
    bitrate_kbps=(8000, 8000),
)
SHOTS = {"indoor_shots": 2, "outdoor_shots": 0, "title": False, "shot_seconds": 1.5}
SHAKEN = SMALL.model_copy(update={"effects": FAULTS, "shake_degrees": 1.0, **SHOTS})


@pytest.fixture(scope="module")
def film() -> Tour:
    return Tour.from_seed(5, SHAKEN)


def indoor_frame(film: Tour) -> int:
    return next(shot.start_frame + 1 for shot in film.shots if shot.kind == "indoor")


def points_of(truth: FrameTruth) -> np.ndarray:
    """Return the point (480, 640, 3) in the world that each pixel shows, by its own ray."""
    origins, directions = truth.camera().rays(pixel_centres())
    return (origins + directions * truth.depth.reshape(-1, 1)).reshape(480, 640, 3)


def shown_at(truth: FrameTruth, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return pixel (n, 2) and depth (n,) at which a lens that exposes row by row shows points (n, 3) of the world."""
    assert truth.row_poses is not None
    row = np.full(len(points), 240)
    for _ in range(4):  # the row decides on the pose, and the pose on the row
        to_camera = np.linalg.inv(truth.row_poses[row])
        local = np.einsum("nij,nj->ni", to_camera[:, :3, :3], points) + to_camera[:, :3, 3]
        flat = local[:, :2] / local[:, 2:]
        bent = flat * (1 + truth.distortion * (flat**2).sum(axis=1, keepdims=True))
        pixels = bent * truth.intrinsics[[0, 1], [0, 1]] + truth.intrinsics[:2, 2]
        row = np.clip(np.floor(pixels[:, 1]), 0, 479).astype(int)
    return pixels, local[:, 2]


def test_known_points_lie_in_the_truth_where_the_camera_model_shows_them(film: Tour):
    frame = indoor_frame(film)
    truth, straight = film.truth(frame), film.pinhole_truth(frame)
    assert truth.distortion == pytest.approx(-0.2)
    rows, columns = np.mgrid[8:480:16, 8:640:16]
    rays = np.stack([columns + 0.5, rows + 0.5, np.ones_like(rows)], -1) @ np.linalg.inv(straight.intrinsics).T
    in_camera = (rays * straight.depth[rows, columns][..., None]).reshape(-1, 3)
    points = in_camera @ straight.camera_to_world[:3, :3].T.astype(np.float64) + straight.camera_to_world[:3, 3]
    pixels, depth = shown_at(truth, points)
    column, row = np.floor(pixels).astype(int).T
    inside = (depth > 0.1) & (column >= 0) & (column < 640) & (row >= 0) & (row < 480)
    column, row, depth = column[inside], row[inside], depth[inside]
    seen = truth.depth[row, column] > 0  # the rest lies under captions
    agree = np.abs(truth.depth[row, column] / depth - 1)[seen] < 0.02
    assert inside.mean() > 0.6
    assert agree.mean() > 0.93  # the rest is on an edge
    labels = straight.labels[rows, columns].ravel()[inside]
    assert (truth.labels[row, column] == labels)[seen].mean() > 0.93
    moved = np.hypot(*(pixels - np.stack([columns.ravel(), rows.ravel()], -1) - 0.5)[inside].T)
    assert moved.max() > 15  # a pinhole would not do


def test_known_points_lie_in_the_picture_where_the_truth_says(film: Tour):
    frame = indoor_frame(film)
    straight = film.pinhole_truth(frame)
    painter = film._painter
    plain = painter.paint(straight.camera())
    bent = painter.paint(film.truth(frame).camera())
    points = points_of(straight)[20:460:5, 20:620:5].reshape(-1, 3)
    pixels, _ = shown_at(film.truth(frame), points)
    column, row = np.floor(pixels).astype(int).T
    inside = (column >= 0) & (column < 640) & (row >= 0) & (row < 480)
    expected = plain[20:460:5, 20:620:5].reshape(-1, 3)[inside]
    error = np.abs(bent[row[inside], column[inside]] - expected)
    unbent = np.abs(bent[20:460:5, 20:620:5].reshape(-1, 3)[inside] - expected)
    assert error.mean() < 0.4 * unbent.mean()


def test_rows_have_poses_of_their_own_and_depth_along_them(film: Tour):
    truth = film.truth(indoor_frame(film))
    assert truth.row_poses is not None
    np.testing.assert_allclose(truth.row_poses[240], truth.camera_to_world, atol=1e-6)
    assert np.abs(truth.row_poses[0] - truth.row_poses[479]).max() > 1e-4
    floor = points_of(truth)[truth.labels == SemanticClass.FLOOR][:, 2]
    assert floor.size > 1000
    assert (np.abs(floor) < 0.015).all()  # rugs are 12 mm thick


def test_what_a_caption_or_a_logo_hides_is_unknown(film: Tour):
    assert film.filming is not None
    for frame in range(film.frame_count):
        hidden = film.filming.hidden(frame)
        if hidden.any():
            truth = film.truth(frame)
            assert not truth.depth[hidden].any()
            assert (truth.labels[hidden] == SemanticClass.UNKNOWN).all()
            assert film.pinhole_truth(frame).depth[hidden].any()
            return
    pytest.fail("no caption or logo is inside what is stored")


def test_truth_is_that_of_the_stored_part_of_the_picture(film: Tour, tmp_path: Path):
    frame, box = indoor_frame(film), Box(0.25, 0.25, 0.75, 0.75)
    whole, part = film.truth(frame), film.truth(frame, box)
    assert part.intrinsics[0, 0] == pytest.approx(2 * whole.intrinsics[0, 0], rel=0.01)
    film.write_video(tmp_path / "film.mp4")
    shown = next(frames_at(tmp_path / "film.mp4", np.array([frame]), [box])).rgb
    wanted = film._painter.paint(part.camera())
    assert np.abs(shown - wanted)[part.depth > 0].mean() < 12  # noise, blur and encoder
    greys = [cv2.cvtColor(picture.astype(np.float32), cv2.COLOR_RGB2GRAY) for picture in (shown, wanted)]
    shift, _ = cv2.phaseCorrelate(greys[0] * (part.depth > 0), greys[1] * (part.depth > 0))
    assert np.hypot(*shift) < 0.7


def test_the_same_seed_gives_the_same_hard_frames_in_any_order(film: Tour):
    frame = indoor_frame(film)
    first = film.picture(frame)
    film.picture(frame + 1)
    again = Tour.from_seed(film.seed, SHAKEN)
    assert again.filming is not None
    assert first.shape == (480, 854, 3)
    np.testing.assert_array_equal(again.filming.picture(film._painter, frame, film._title_card), first)
    np.testing.assert_array_equal(again.truth(frame).depth, film.truth(frame).depth)


def test_a_slide_show_is_left_out_and_its_changes_are_cuts(film: Tour):
    assert film.filming is not None
    shot = next(shot for shot in film.shots if shot.kind == "indoor")
    clock = FrameClock(5, film.fps, film.frame_count)
    slides = Edit("slide_show", clock.span(*film.timeline.on_screen(shot)), seed=5, shot_id=shot.shot_id)
    edits = tuple(slides if i == shot.shot_id else edit for i, edit in enumerate(film.filming.edits))
    shown = replace(film, filming=replace(film.filming, edits=edits, clock=clock))
    assert all("slide show" in shown.truth(frame).left_out for frame in (shot.start_frame, shot.end_frame - 1))
    assert film.truth(shot.start_frame).left_out == ""
    count = max(1, round(slides.duration / 2))
    assert len(shown.cuts) == len(film.cuts) + count - 1


def test_grids_are_filled_from_pinholes(film: Tour):
    frame = indoor_frame(film)
    clip = true_clip(film, np.array([frame])).for_grids()
    depth, pose = clip.scene.depth[0], clip.scene.camera_to_world[0]
    rows, columns = np.mgrid[:480, :640]
    rays = np.stack([columns + 0.5, rows + 0.5, np.ones_like(rows)], -1) @ np.linalg.inv(clip.scene.intrinsics[0]).T
    heights = (rays * depth[..., None]) @ pose[2, :3] + pose[2, 3]
    floor = heights[clip.semantics.labels[0] == SemanticClass.FLOOR]
    assert floor.size > 1000
    assert (np.abs(floor) < 0.015).all()
