from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contract.records import DepthSource, Reconstruction
from pipeline.stages.reconstruction.rows import (
    among,
    append_reconstruction,
    blank_reconstruction,
    further_arrays,
    only_shown,
    unit_depth,
)
from pipeline.store.rows import read_depth_source, read_metric_scale, read_probability_right, read_reconstruction
from pipeline.store.store import Store
from tests.pipeline.box_room import Box, Room, film, looking
from tests.pipeline.disguise import disguise

NOT_ARRAYS = ("notes", "probability_right", "depth_source", "log_scale", "log_scale_sigma")
ROOM = Room(Box((-1.5, -1.0, 0.0), (2.0, 3.0, 2.6)))
CAMERAS = [looking((0.1 * i, 0, 1.5), (0.5, 2, 1.2)) for i in range(3)]


@pytest.fixture(scope="module")
def found() -> Reconstruction:
    return disguise(film(ROOM, CAMERAS, (48, 64))[0], 0)[0]


def test_reconstructions_read_back_clip_by_clip(tmp_path: Path, found: Reconstruction):
    video = Store(tmp_path).video("a")
    other = replace(found, registered=np.array([True, False, True]), depth=2 * found.depth)
    with video.write_group("reconstruction") as group:
        append_reconstruction(group, found)
        append_reconstruction(group, other)
    for rows, written in ((slice(0, 3), found), (slice(3, 6), other)):
        read = read_reconstruction(video, rows)
        for field in fields(Reconstruction):
            if field.name not in NOT_ARRAYS:
                # float16 keeps eleven bits of depth and confidence.
                assert np.allclose(getattr(read, field.name), getattr(written, field.name), rtol=2**-11), field.name


def test_in_units_of_the_median_depth_the_median_is_one(found: Reconstruction):
    inside = unit_depth(found)
    assert np.median(inside.depth[inside.depth > 0]) == pytest.approx(1)
    ratio = found.depth / inside.depth
    assert np.ptp(ratio) < 1e-5 * ratio.max()
    assert np.allclose(inside.camera_to_world[:, :3, 3] * ratio.max(), found.camera_to_world[:, :3, 3], rtol=1e-5)
    assert np.array_equal(inside.camera_to_world[:, :3, :3], found.camera_to_world[:, :3, :3])


def test_what_was_given_stays_as_it_was(found: Reconstruction):
    before = found.camera_to_world.copy()
    unit_depth(found)
    assert np.array_equal(found.camera_to_world, before)


@given(st.floats(1e-3, 1e3))
@settings(max_examples=20)
def test_the_unit_that_it_came_in_does_not_matter(found: Reconstruction, factor: float):
    poses = found.camera_to_world.copy()
    poses[:, :3, 3] *= factor
    other = unit_depth(replace(found, depth=np.float32(factor) * found.depth, camera_to_world=poses))
    assert np.allclose(other.depth, unit_depth(found).depth, rtol=1e-5)
    assert np.allclose(other.camera_to_world, unit_depth(found).camera_to_world, rtol=1e-4, atol=1e-6)


def test_gaps_do_not_count_and_depth_without_a_value_has_no_unit(found: Reconstruction):
    gaps = found.depth.copy()
    gaps[:, ::2] = 0
    inside = unit_depth(replace(found, depth=gaps))
    assert np.median(inside.depth[inside.depth > 0]) == pytest.approx(1)
    assert not inside.depth[:, ::2].any()
    nothing = replace(found, depth=np.zeros_like(gaps))
    assert np.array_equal(unit_depth(nothing).camera_to_world, found.camera_to_world)


def test_a_blank_clip_has_no_camera_and_no_depth():
    blank = blank_reconstruction(2, 3, 4)
    assert blank.depth.shape == blank.confidence.shape == (2, 3, 4)
    assert (blank.intrinsics.shape, blank.camera_to_world.shape) == ((2, 3, 3), (2, 4, 4))
    assert not any(getattr(blank, field.name).any() for field in fields(Reconstruction) if field.name not in NOT_ARRAYS)


def test_how_probable_it_is_that_a_clip_is_right_reads_back_and_is_unknown_where_it_is_not_stored(
    tmp_path: Path, found: Reconstruction
):
    video = Store(tmp_path).video("a")
    with video.write_group("frames") as group:
        group.append("clip_id", np.zeros(6, np.int32))
    with video.write_group("reconstruction") as group:
        append_reconstruction(group, replace(found, probability_right=0.75))
        append_reconstruction(group, found)
    assert np.allclose(read_probability_right(video), [0.75] * 3 + [np.nan] * 3, equal_nan=True)
    with video.write_group("reconstruction") as group:
        group.append("registered", np.ones(6, bool))
    assert np.isnan(read_probability_right(video, slice(2, 4))).tolist() == [True, True]


def test_whose_depth_is_and_what_metric_depth_says_read_back_where_a_clip_has_them(
    tmp_path: Path, found: Reconstruction
):
    video = Store(tmp_path).video("a")
    source = np.full(found.depth.shape, DepthSource.NETWORK, np.uint8)
    scaled = unit_depth(replace(found, depth_source=source, log_scale=1.0, log_scale_sigma=0.1))
    clips = [found, scaled]
    with video.write_group("reconstruction") as group:
        for clip in clips:
            append_reconstruction(group, clip, further_arrays(clips))
    assert np.isnan(read_metric_scale(video, slice(0, 3))).all()
    value, deviation = read_metric_scale(video, slice(3, 6))
    # metres a unit: what was one unit is now one over the median
    assert value == pytest.approx(1 + np.log(np.median(found.depth[found.depth > 0])))
    assert deviation == pytest.approx(0.1)
    read = read_depth_source(video, slice(0, 6))
    assert read is not None
    assert read.dtype == np.uint8
    assert not read[:3].any()
    assert (read[3:] == DepthSource.NETWORK).all()


def test_videos_of_backends_that_say_neither_have_neither_array(tmp_path: Path, found: Reconstruction):
    video = Store(tmp_path).video("a")
    with video.write_group("reconstruction") as group:
        append_reconstruction(group, found, further_arrays([found, found]))
    assert not any(video.has_array("reconstruction", name) for name in ("depth_source", "log_scale", "log_scale_sigma"))
    assert read_depth_source(video, slice(0, 3)) is None
    assert np.isnan(read_metric_scale(video, slice(0, 3))).all()


def test_black_sides_have_no_source(found: Reconstruction):
    rgb = np.full((3, 480, 640, 3), 90, np.uint8)
    rgb[:, :, :200], rgb[:, :, 440:] = 0, 0
    source = np.full(found.depth.shape, DepthSource.NETWORK, np.uint8)
    shown = only_shown(replace(found, depth_source=source), rgb)
    assert shown.depth_source is not None
    assert np.array_equal(shown.depth_source > 0, shown.depth > 0)


def test_a_reconstruction_of_some_frames_is_one_of_all_with_the_others_blank(found: Reconstruction):
    source = np.full(found.depth.shape, DepthSource.MATCHED, np.uint8)
    spread = among(replace(found, depth_source=source), np.array([1, 2, 4]), 6)
    assert spread.registered.tolist() == [False, True, True, False, True, False]
    assert spread.depth_source is not None
    for name in ("intrinsics", "camera_to_world", "depth", "confidence"):
        rows, expected = getattr(spread, name), getattr(found, name)
        np.testing.assert_array_equal(rows[[1, 2, 4]], expected)
        assert not rows[[0, 3, 5]].any()
    assert spread.depth_source[[1, 2, 4]].all()
    assert not spread.depth_source[[0, 3, 5]].any()
    assert spread.notes[0] == "Only 3 of 6 frames were gone on with: with the others it was refused."
