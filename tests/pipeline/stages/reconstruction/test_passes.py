"""A video whose lens bends is looked at, voted on and reconstructed on straightened pictures; readers get those."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from pipeline.contract.errors import TooLittleParallax, UnlikelyReconstruction
from pipeline.geometry.distortion import STRAIGHT, Distortion
from pipeline.stages.base import Workbench
from pipeline.stages.reconstruction.first_look import LensOfLines
from pipeline.stages.reconstruction.stage import reconstruction
from pipeline.store.frames import FrameReader
from pipeline.store.rows import pictures_group, read_distortion, read_pictures
from tests.pipeline.stages.filling import filled
from tests.pipeline.stages.reconstruction.measuring import BARREL, Measuring, sag


def test_a_lens_that_edges_tell_of_is_undone_before_the_first_look(bench: Callable[..., Workbench], backend: Measuring):
    backend.lines = LensOfLines(BARREL, 0.004)
    workbench = bench((BARREL, 30), (BARREL, 10), (BARREL, 40))
    result = filled(reconstruction, workbench)
    assert backend.shown == [30, 10, 40]
    assert [what for what, _, _ in backend.asked] == ["look"] * 3, "nothing is left to find, and nothing is done again"
    assert all(abs(bent) <= 1 for _, _, bent in backend.asked)
    assert abs(sag(read_pictures(workbench.video, slice(5, 6))[0])) <= 1
    assert result.counts["lens_k1"] == -0.08
    assert backend.known == 0.004, "clips that vote on what is left are told how sure edges are"


def test_a_bent_video_is_reconstructed_and_read_straightened(bench: Callable[..., Workbench], backend: Measuring):
    workbench = bench((BARREL, 30), (BARREL, 10), (BARREL, 40))
    result = filled(reconstruction, workbench)
    video = workbench.video
    assert sag(video.read("frames", "rgb", slice(0, 1))[0]) > 5, "the film stays as it is"
    assert abs(sag(read_pictures(video, slice(5, 6))[0])) <= 1
    assert pictures_group(video) == "reconstruction"
    assert len(read_pictures(video)) == 6, "clips that were left out have pictures, too"
    row = read_distortion(video)
    assert row is not None
    assert Distortion.of_row(row) == BARREL
    assert result.counts["lens_k1"] == -0.08
    assert result.notes[0] == "The lens bends straight lines by 8.0% at the corners; pictures were straightened."
    assert [item.clip_id for item in result.left_out] == [1]
    # Bent clips are not gone on with, and what is straight is done once.
    assert [(what, level) for what, level, bend in backend.asked if abs(bend) <= 2] == [
        ("look", 30),
        ("look", 10),
        ("look", 40),
    ]


def test_single_frames_are_read_straightened(bench: Callable[..., Workbench]):
    workbench = bench((BARREL, 30))
    filled(reconstruction, workbench)
    reader = FrameReader(workbench.video.files)
    assert np.array_equal(reader.read_picture("a", 1), read_pictures(workbench.video)[1])


def test_a_straight_video_keeps_the_pictures_of_its_film_alone(bench: Callable[..., Workbench], backend: Measuring):
    workbench = bench((STRAIGHT, 30), (STRAIGHT, 40))
    result = filled(reconstruction, workbench)
    assert not workbench.video.has_array("reconstruction", "rgb")
    assert not workbench.video.has_array("reconstruction", "distortion")
    assert read_distortion(workbench.video) is None
    assert np.array_equal(read_pictures(workbench.video), workbench.video.read("frames", "rgb"))
    assert set(result.counts) == {"clips", "clips_left_out"}
    assert [what for what, *_ in backend.asked] == ["look", "look"], "nothing is done twice"


def test_a_clip_that_is_outvoted_is_gone_on_with_as_it_was_filmed(bench: Callable[..., Workbench], backend: Measuring):
    workbench = bench((STRAIGHT, 30), (BARREL, 40), (STRAIGHT, 50))
    filled(reconstruction, workbench)
    assert pictures_group(workbench.video) == "frames"
    assert [(what, level) for what, level, _ in backend.asked][3:] == [("reconstruct", 40)]
    assert workbench.video.read("reconstruction", "registered").all()


def test_clips_that_took_their_pixels_for_stretched_are_done_again_where_the_others_disagree(
    bench: Callable[..., Workbench], backend: Measuring
):
    backend.stretched, backend.square = {40}, True
    workbench = bench((STRAIGHT, 30), (STRAIGHT, 40))
    filled(reconstruction, workbench)
    assert [(what, level) for what, level, _ in backend.asked] == [("look", 30), ("look", 40), ("known", 40)]
    focal = workbench.video.read("reconstruction", "intrinsics")[:, (0, 1), (0, 1)]
    assert (focal == 500).all()


@pytest.mark.parametrize("off", [530.0, 620.0])
def test_clips_whose_focal_length_is_off_are_done_again_with_that_of_the_video_unless_another_lens_filmed_them(
    bench: Callable[..., Workbench], backend: Measuring, off: float
):
    """Off by a few of its spreads, or by more than it says and less than lenses differ."""
    backend.focals, backend.focal = {40: off, 50: 800.0}, 501.0
    workbench = bench((STRAIGHT, 30), (STRAIGHT, 40), (STRAIGHT, 50))
    filled(reconstruction, workbench)
    assert [(what, level) for what, level, _ in backend.asked][3:] == [("known", 40)]
    focal = workbench.video.read("reconstruction", "intrinsics")[:, 0, 0]
    assert focal.tolist() == [500, 500, 501, 501, 800, 800]


def test_clips_that_are_surer_of_their_focal_length_than_the_video_keep_it(
    bench: Callable[..., Workbench], backend: Measuring
):
    backend.focals, backend.focal, backend.spread = {30: 530.0, 40: 530.0}, 501.0, 0.05
    backend.vague = {40}
    workbench = bench((STRAIGHT, 30), (STRAIGHT, 40))
    filled(reconstruction, workbench)
    focal = workbench.video.read("reconstruction", "intrinsics")[:, 0, 0]
    assert focal.tolist() == [530, 530, 501, 501], "of deviations of 0.02 and 0.1"


@pytest.mark.parametrize("probability", [np.nan, 0.9])
def test_cameras_that_are_refused_with_the_focal_length_of_the_video_stay_as_they_were(
    bench: Callable[..., Workbench], backend: Measuring, probability: float
):
    backend.focals, backend.focal, backend.probability = {40: 530.0}, 501.0, {40: probability}
    backend.ends["known", 40] = TooLittleParallax("it does not fit")
    workbench = bench((STRAIGHT, 30), (STRAIGHT, 40))
    assert filled(reconstruction, workbench).left_out == ()
    assert workbench.video.read("reconstruction", "intrinsics")[:, 0, 0].tolist() == [500, 500, 530, 530]


def test_cameras_that_are_refused_with_the_focal_length_of_the_video_and_were_not_sure_are_left_out(
    bench: Callable[..., Workbench], backend: Measuring
):
    backend.focals, backend.focal, backend.probability = {40: 530.0}, 501.0, {40: 0.65}
    backend.ends["known", 40] = UnlikelyReconstruction("it does not fit")
    left_out = filled(reconstruction, bench((STRAIGHT, 30), (STRAIGHT, 40))).left_out
    assert [(item.clip_id, item.detail) for item in left_out] == [(1, "it does not fit")]


def test_a_clip_that_is_refused_when_done_again_is_gone_on_with_by_the_frames_that_were_placed_before(
    bench: Callable[..., Workbench], backend: Measuring
):
    backend.stretched, backend.square, backend.part = {40}, True, {40}
    workbench = bench((STRAIGHT, 30), (STRAIGHT, 40))
    assert filled(reconstruction, workbench).left_out == ()
    assert workbench.video.read("reconstruction", "registered").tolist() == [True, True, True, False]
    focal = workbench.video.read("reconstruction", "intrinsics")[:, (0, 1), (0, 1)]
    assert (focal[:3] == 500).all(), "the pixels of the frame that is left are square, as those of the other clip"


def test_depth_of_sure_cameras_is_looked_for_once_the_clips_have_voted(
    bench: Callable[..., Workbench], backend: Measuring
):
    backend.later, backend.focals, backend.focal = {30, 40, 50}, {40: 530.0, 50: 800.0}, 501.0
    workbench = bench((STRAIGHT, 30), (STRAIGHT, 40), (STRAIGHT, 50))
    filled(reconstruction, workbench)
    done = [(what, level) for what, level, _ in backend.asked]
    assert done[3:] == [("go on", 30), ("known", 40), ("go on", 50)], "every clip has its depth once"
    focal = workbench.video.read("reconstruction", "intrinsics")[:, 0, 0]
    assert focal.tolist() == [500, 500, 501, 501, 800, 800]


def test_sure_cameras_that_the_focal_length_of_the_video_does_not_fit_are_gone_on_with(
    bench: Callable[..., Workbench], backend: Measuring
):
    backend.later, backend.focals, backend.focal = {30, 40}, {40: 530.0}, 501.0
    backend.ends["known", 40] = TooLittleParallax("it does not fit")
    workbench = bench((STRAIGHT, 30), (STRAIGHT, 40))
    assert filled(reconstruction, workbench).left_out == ()
    assert workbench.video.read("reconstruction", "intrinsics")[:, 0, 0].tolist() == [500, 500, 530, 530]


def test_a_stop_before_depth_loses_no_cameras(bench: Callable[..., Workbench], backend: Measuring):
    backend.later = {30, 40}
    workbench = bench((STRAIGHT, 30), (STRAIGHT, 40))
    backend.ends["go on", 40] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        filled(reconstruction, workbench)
    del backend.ends["go on", 40]
    filled(reconstruction, replace(workbench))
    assert [(what, level) for what, level, _ in backend.asked] == [
        ("look", 30),
        ("look", 40),
        ("go on", 30),
        ("go on", 40),
    ]


def test_a_stop_in_the_second_pass_loses_nothing_of_the_first(bench: Callable[..., Workbench], backend: Measuring):
    workbench = bench((BARREL, 30), (BARREL, 40))
    backend.ends["look", 40] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        filled(reconstruction, workbench)
    del backend.ends["look", 40]
    filled(reconstruction, replace(workbench))
    assert [level for _, level, bend in backend.asked if abs(bend) > 2] == [30, 40]
    assert pictures_group(workbench.video) == "reconstruction"


def test_pictures_that_were_lost_are_not_replaced_by_bent_ones(bench: Callable[..., Workbench]):
    import shutil

    workbench = bench((BARREL, 30))
    filled(reconstruction, workbench)
    folder = workbench.video.files.path("videos", "a", "scene.zarr", "reconstruction", "rgb")
    shutil.rmtree(folder)
    with pytest.raises(Exception, match="is missing"):
        read_pictures(workbench.video)
