from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.contract.classes import SemanticClass, palette
from pipeline.contract.errors import SettingsError, StageMissing
from pipeline.pictures.chosen import Chosen, chosen_clip, chosen_row
from pipeline.pictures.layout import INK
from pipeline.pictures.stored import (
    MOST_CLIPS,
    POINTS_A_FRAME,
    THUMBNAILS_A_CLIP,
    coloured_points,
    depth_picture,
    grid_page,
    rows_of_clips,
)
from pipeline.store.rows import read_scene, stored_clips
from pipeline.store.store import Store
from pipeline.store.video import VideoStore
from tests.pipeline.stored_room import FRAMES, store_room

from .colours import colour_of, colours_of


def with_frames(folder: Path, clip_ids: list[int], registered: list[bool]) -> VideoStore:
    video = Store(folder).video("made")
    with video.write_group("frames", {}) as group:
        group.append("clip_id", np.array(clip_ids, np.int32))
    with video.write_group("scene", {}) as group:
        group.append("registered", np.array(registered))
    return video


def test_clips_are_shown_with_their_verdict_and_a_few_frames(room: VideoStore):
    clips = stored_clips(room)
    kept, rejected = rows_of_clips(room, clips, {0: (True, "P(indoor) 0.90"), 1: (False, "P(indoor) 0.10")})
    assert (kept.caption, kept.kept) == (f"clip 0: {FRAMES} frames from 0.0 s; P(indoor) 0.90", True)
    assert (rejected.kept, rejected.caption[:6]) == (False, "clip 1")
    assert kept.pictures.shape == (THUMBNAILS_A_CLIP, 480, 640, 3)
    # The second clip is the first in negative.
    assert np.abs(kept.pictures[0].astype(int) + rejected.pictures[0] - 255).mean() < 8


def test_a_clip_without_a_verdict_counts_as_rejected(room: VideoStore):
    (row, _) = rows_of_clips(room, stored_clips(room), {})
    assert not row.kept


def test_of_many_clips_a_few_are_shown_from_the_first_to_the_last(room: VideoStore):
    (clip, _) = stored_clips(room)
    many = [replace(clip, clip_id=i) for i in range(100)]
    shown = [int(row.caption.split()[1].rstrip(":")) for row in rows_of_clips(room, many, {})]
    assert len(shown) == MOST_CLIPS
    assert (shown[0], shown[-1]) == (0, 99)
    assert np.diff(shown).max() <= 15


def test_the_fullest_clip_is_the_one_with_most_registered_frames(tmp_path: Path):
    video = with_frames(tmp_path, [0] * 4 + [1] * 3, [True, False, False, False, True, False, True])
    assert chosen_clip(video, "scene") == slice(4, 7)
    assert chosen_row(video, "scene") == slice(6, 7), "the later of two"


def test_without_any_registered_frame_the_first_is_shown(tmp_path: Path):
    video = with_frames(tmp_path, [3, 3], [False, False])
    assert chosen_row(video, "scene") == slice(0, 1)


def test_the_depth_of_a_stored_frame_lies_beside_its_picture(room: VideoStore):
    picture = np.asarray(depth_picture(room, "scene", "m"))
    rgb = room.read("frames", "rgb", chosen_row(room, "scene"))[0]
    left = picture[:240, :320].astype(int)
    assert np.abs(left.mean(axis=(0, 1)) - rgb.mean(axis=(0, 1))).max() < 2
    assert picture.shape[1] > 2 * 320


def test_a_stage_that_has_not_run_is_named(tmp_path: Path):
    video = with_frames(tmp_path, [0], [True])
    with pytest.raises(StageMissing, match="reconstruction"):
        depth_picture(video, "reconstruction", "x")


def test_points_lie_on_the_rooms_surfaces_in_the_colours_of_their_classes(room: VideoStore):
    rows = slice(0, FRAMES)
    points, colours = coloured_points(read_scene(room, rows), room.read("frames", "rgb", rows))
    assert len(points) == len(colours) <= FRAMES * 2 * POINTS_A_FRAME
    floor = (colours == colour_of(SemanticClass.FLOOR)).all(axis=1)
    assert floor.sum() > 100
    assert np.abs(points[floor, 2]).max() < 0.01  # depth is stored in half floats: a thousandth of 3 m, seen slanted
    assert points[:, :2].min() > -0.01
    assert points[:, 0].max() < 4.01


def test_frames_without_a_camera_and_pixels_without_depth_give_no_points(room: VideoStore):
    rows = slice(0, 2)
    scene, rgb = read_scene(room, rows), room.read("frames", "rgb", rows)
    none = coloured_points(replace(scene, registered=np.zeros(2, bool)), rgb)
    assert [part.shape for part in none] == [(0, 3), (0, 3)]
    sparse = np.zeros_like(scene.depth)
    sparse[0, 5, 5] = 1.0
    points, _ = coloured_points(replace(scene, depth=sparse), rgb)
    assert points.shape == (1, 3)


def test_a_page_of_a_grid_names_its_classes(tmp_path: Path):
    video = store_room(tmp_path)
    labels = video.read("occupancy", "labels", slice(0, 1))[0]
    picture = grid_page(video.read("frames", "rgb", slice(0, 1))[0], labels, width=320)
    shown = colours_of(picture)
    present = {SemanticClass(label) for label in np.unique(labels)} - {SemanticClass.EMPTY, SemanticClass.UNKNOWN}
    assert SemanticClass.BED in present
    assert {tuple(palette()[label].tolist()) for label in present} <= shown


def test_a_page_of_a_grid_says_what_is_empty_and_what_nobody_saw_and_how_long_a_metre_is(tmp_path: Path):
    video = store_room(tmp_path)
    rgb, labels = video.read("frames", "rgb", slice(0, 1))[0], video.read("occupancy", "labels", slice(0, 1))[0]
    assert {SemanticClass.EMPTY, SemanticClass.UNKNOWN} <= set(np.unique(labels).tolist())
    page = np.asarray(grid_page(rgb, labels, width=320))
    seen = np.where(labels == SemanticClass.UNKNOWN, SemanticClass.EMPTY, labels).astype(np.uint8)
    assert page.shape[0] > grid_page(rgb, seen, width=320).height, "a line of the legend less"
    ink = (page[:, :40] == INK).all(axis=-1)
    assert ink.sum(axis=1).max() == round(90 / 4.8), "a metre of slices that are 4.8 m wide and 90 pixels"


def test_any_clip_and_frame_that_was_kept_can_be_chosen(tmp_path: Path):
    video = with_frames(tmp_path, [3] * 4 + [7] * 3, [True] * 4 + [False, True, False])
    assert chosen_clip(video, "scene", Chosen(7)) == slice(4, 7)
    assert chosen_row(video, "scene", Chosen(7)) == slice(5, 6)
    assert chosen_row(video, "scene", Chosen(7, 2)) == slice(6, 7)
    assert chosen_row(video, "scene", Chosen(frame=3)) == slice(3, 4)
    with pytest.raises(SettingsError, match="no clip 4; the clips that were kept: 3, 7"):
        chosen_row(video, "scene", Chosen(4))
    with pytest.raises(SettingsError, match="frame 3 is not there; this clip has frames 0 to 2"):
        chosen_row(video, "scene", Chosen(7, 3))
