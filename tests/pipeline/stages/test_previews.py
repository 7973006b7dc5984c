"""Previews: pictures show what they claim to show, and fit where they are put."""

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pipeline.contract.classes import SemanticClass, palette
from pipeline.contract.errors import StageMissing
from pipeline.contract.grid import GRID_SHAPE
from pipeline.contract.records import IndoorScore
from pipeline.pictures.clips import KEPT, REJECTED, ClipRow, clip_sheet
from pipeline.pictures.depth import NO_VALUE, depth_beside_picture
from pipeline.pictures.encode import jpeg
from pipeline.pictures.floor_plan import PATH, floor_plan
from pipeline.pictures.labels import label_overlay
from pipeline.pictures.slices import grid_slices
from pipeline.pictures.thumbnails import thumbnails
from pipeline.pictures.voxels import isometric
from pipeline.stages.indoor_clips.rows import write_indoor_scores
from pipeline.stages.page import picture_of
from pipeline.stages.registry import stages
from pipeline.store.store import Store
from pipeline.store.video import VideoStore
from tests.pipeline.stored_room import FPS, FRAMES, store_room


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> VideoStore:
    return store_room(tmp_path_factory.mktemp("room"))


@pytest.mark.parametrize("stage", stages())
def test_every_stage_has_a_preview_small_enough_for_the_event_log(room: VideoStore, stage: str):
    encoded = picture_of(room, stage, 14_500)
    assert len(encoded) <= 14_500
    picture = np.asarray(Image.open(io.BytesIO(encoded)))
    assert picture.std() > 10, "a page with something on it is not of one colour"


def test_a_preview_of_a_stage_that_has_not_run_says_so(tmp_path: Path):
    with pytest.raises(StageMissing):
        picture_of(Store(tmp_path).video("nothing"), "occupancy", 14_500)


def test_a_large_preview_is_larger_than_a_small_one(room: VideoStore):
    assert len(picture_of(room, "occupancy", 4_000_000)) > 20_000


@given(st.integers(2_000, 60_000))
@settings(max_examples=10, deadline=None)
def test_jpeg_never_exceeds_its_limit(limit: int):
    noise = np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8)
    assert len(jpeg(Image.fromarray(noise), limit)) <= limit


def test_jpeg_refuses_a_limit_that_no_picture_meets():
    with pytest.raises(ValueError, match="10 bytes"):
        jpeg(Image.new("RGB", (8, 8)), 10)


def test_isometric_shows_furniture_and_neither_ceiling_nor_unknown():
    labels = np.full(GRID_SHAPE, SemanticClass.UNKNOWN, np.uint8)
    labels[:, :, 0], labels[:, :, 35] = SemanticClass.FLOOR, SemanticClass.CEILING
    labels[20:30, 20:30, 1:8] = SemanticClass.BED
    colours = _colours(isometric(labels, 480))
    assert {_colour(SemanticClass.FLOOR), _colour(SemanticClass.BED)} <= colours
    assert not {_colour(SemanticClass.CEILING), _colour(SemanticClass.UNKNOWN)} & colours


def test_isometric_cuts_the_wall_between_viewer_and_room():
    labels = np.zeros(GRID_SHAPE, np.uint8)
    labels[:, :, 0], labels[20:40, 20:40, 1:3] = SemanticClass.FLOOR, SemanticClass.BED
    seen = np.count_nonzero(_is(isometric(labels, 480), SemanticClass.BED))
    labels[:, 0, 1:] = labels[0, :, 1:] = SemanticClass.WALL
    walled = np.count_nonzero(_is(isometric(labels, 480), SemanticClass.BED))
    assert walled == pytest.approx(seen, rel=0.15), "only the page's margin changes with the walls"


def test_isometric_of_an_empty_grid_is_blank():
    assert _colours(isometric(np.zeros(GRID_SHAPE, np.uint8), 64)) == {(255, 255, 255)}


def test_isometric_puts_what_the_camera_has_on_its_right_to_the_right():
    labels = np.zeros(GRID_SHAPE, np.uint8)
    labels[:, :, 0] = SemanticClass.FLOOR
    labels[50:54, 30:34, 1:5], labels[6:10, 30:34, 1:5] = SemanticClass.TABLE, SemanticClass.SOFA
    picture = isometric(labels, 480)
    right, left = (np.argwhere(_is(picture, c))[:, 1].mean() for c in (SemanticClass.TABLE, SemanticClass.SOFA))
    assert right - left > 100, "44 voxels apart are 44 * 480 / 120 = 176 pixels"


def test_slices_have_the_floor_in_the_first_and_a_wall_ahead_at_the_top():
    labels = np.zeros(GRID_SHAPE, np.uint8)
    labels[:, :, 0], labels[:, 59, :] = SemanticClass.FLOOR, SemanticClass.WALL
    picture = np.asarray(grid_slices(labels, 120))
    first = picture[-120:, :120]
    assert tuple(first[60, 60]) == _colour(SemanticClass.FLOOR)
    assert tuple(first[0, 60]) == _colour(SemanticClass.WALL)


def test_overlay_leaves_unknown_pixels_as_they_are():
    rgb = np.full((480, 640, 3), (10, 200, 90), np.uint8)
    labels = np.full((96, 128), SemanticClass.UNKNOWN, np.uint8)
    labels[:, :64] = SemanticClass.SOFA
    picture = np.asarray(label_overlay(rgb, labels, 240))
    assert tuple(picture[120, 300]) == (10, 200, 90)
    expected = 0.4 * np.array((10, 200, 90)) + 0.6 * np.array(_colour(SemanticClass.SOFA))
    np.testing.assert_allclose(picture[120, 20], expected, atol=1)


def test_overlay_names_the_classes_it_shows_and_no_others():
    rgb, labels = np.zeros((480, 640, 3), np.uint8), np.full((96, 128), SemanticClass.UNKNOWN, np.uint8)
    bare = label_overlay(rgb, labels, 240)
    labels[:, :64], labels[:, 64:] = SemanticClass.SOFA, SemanticClass.BED
    legend = np.asarray(label_overlay(rgb, labels, 240))[:, bare.width :]
    shown = {label for label in SemanticClass if (legend == palette()[label]).all(axis=-1).sum() > 100}
    assert shown - {SemanticClass.EMPTY} == {SemanticClass.SOFA, SemanticClass.BED}


def test_the_sheet_of_indoor_clips_names_kinds_of_room(room: VideoStore):
    named = np.asarray(Image.open(io.BytesIO(picture_of(room, "indoor_clips", 4_000_000))))
    write_indoor_scores(room, [IndoorScore(0.9), IndoorScore(0.1)], "0")
    bare = np.asarray(Image.open(io.BytesIO(picture_of(room, "indoor_clips", 4_000_000))))
    first_caption = slice(0, 20)
    assert named.shape == bare.shape
    assert (named[first_caption] < 128).sum() > 1.3 * (bare[first_caption] < 128).sum()


def test_pixels_without_depth_are_grey():
    rgb, depth = np.zeros((480, 640, 3), np.uint8), np.full((96, 128), 2.0, np.float32)
    depth[:, 64:] = 0
    picture = np.asarray(depth_beside_picture(rgb, depth, height=240))
    assert tuple(picture[120, 320 + 8 + 300]) == NO_VALUE
    assert tuple(picture[120, 320 + 8 + 20]) != NO_VALUE


def test_depth_without_a_single_value_can_be_drawn():
    picture = depth_beside_picture(np.zeros((480, 640, 3), np.uint8), np.zeros((96, 128), np.float32))
    assert NO_VALUE in _colours(picture)


def test_floor_plan_draws_north_up_and_the_path_where_the_cameras_were():
    wall = np.stack([np.linspace(0, 4, 400), np.full(400, 4.0), np.full(400, 1.0)], axis=1).astype(np.float32)
    poses = np.repeat(np.eye(4)[None], 5, axis=0)
    poses[:, :3, 3] = np.linspace((0.5, 0.5, 1.5), (3.5, 0.5, 1.5), 5)
    plan = np.asarray(floor_plan(wall, np.zeros((400, 3), np.uint8), poses, side=220))
    path_rows = np.argwhere((plan[:220] == PATH).all(axis=-1))[:, 0]
    wall_rows = np.argwhere((plan[:220] == 0).all(axis=-1))[:, 0]
    assert path_rows.mean() - wall_rows.mean() == pytest.approx(3.5 * 200 / 4, rel=0.15), "3.5 m south of the wall"


def test_floor_plan_holds_cameras_that_stand_outside_of_the_points():
    points = np.random.default_rng(0).uniform((0, 5, 1), (4, 6, 2), (5000, 3)).astype(np.float32)
    plan = floor_plan(points, np.zeros((5000, 3), np.uint8), np.eye(4)[None], side=220)
    assert PATH in _colours(plan)


def test_contact_sheet_frames_kept_clips_green_and_rejected_red():
    pictures = np.full((2, 480, 640, 3), 128, np.uint8)
    sheet = clip_sheet([ClipRow("clip 0", kept=True, pictures=pictures)])
    assert KEPT in _colours(sheet)
    assert REJECTED not in _colours(sheet)
    sheet = clip_sheet([ClipRow("clip 1: Outdoor", kept=False, pictures=pictures)], ["2: TooShort: 0.4 s"])
    assert REJECTED in _colours(sheet)


def test_a_contact_sheet_of_nothing_can_be_drawn():
    assert clip_sheet([]).width > 0


def test_thumbnails_are_the_frames_at_their_times(room: VideoStore):
    stored = room.read("frames", "rgb")
    with room.local_file("source.mp4") as path:
        found = thumbnails(path, [0.0, (FRAMES - 1) / FPS, 1000.0])
    assert len(found) == 2, "the time past the end gives none"
    difference = np.abs(found.astype(int) - stored[[0, FRAMES - 1]])
    assert np.median(difference) <= 6, "colours survive H.264 and chroma subsampling"


def _colour(label: SemanticClass) -> tuple[int, ...]:
    return tuple(palette()[label].tolist())


def _colours(picture: Image.Image) -> set[tuple[int, ...]]:
    return {tuple(colour) for colour in np.unique(np.asarray(picture).reshape(-1, 3), axis=0).tolist()}


def _is(picture: Image.Image, label: SemanticClass) -> np.ndarray:
    difference = np.abs(np.asarray(picture).astype(int) - palette()[label])
    return difference.max(axis=-1) < 25
