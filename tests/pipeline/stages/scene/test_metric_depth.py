"""Metric depth as one more cue: of known rooms whose other cues are there, missing, or other than it says."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.contract.records import Reconstruction
from pipeline.contract.scale import ScaleCue
from pipeline.geometry.depth_scale import SHARED_SPREAD
from pipeline.geometry.poses import similarity_scale
from pipeline.stages.scene.estimate import estimate_scales
from pipeline.stages.scene.heights import Scale
from pipeline.stages.scene.metric import upright
from pipeline.stages.scene.metric_depth import MetricDepth, metric_depth, together
from pipeline.stages.scene.scales import find_scales
from pipeline.stages.scene.settings import SceneSettings
from pipeline.stages.scene.stage import scene
from pipeline.stages.scene.worlds import moved
from pipeline.store.rows import clip_rows, read_scene
from tests.pipeline.box_room import Box, Room, film, looking
from tests.pipeline.disguise import disguise
from tests.pipeline.stages.filling import filled, workbench_of
from tests.pipeline.stages.scene.test_estimate import about, room
from tests.pipeline.stages.scene.test_stage import store

SEATED = [looking((-0.6 + 0.12 * i, -0.6 + 0.05 * i, 0.9), (0.5 - 0.15 * i, 2.0, 0.7)) for i in range(4)]
"""Cameras of somebody who sits on the floor: by its height the room is 1.7 times as large as it is."""

LOFT = Room(Box((-1.5, -1.0, 0.0), (2.0, 3.0, 4.0)), (Box((0.2, 1.0, 0.0), (1.0, 1.5, 0.9)),))
SETTINGS = SceneSettings(scale="evidence", samples=4000)


def reconstructed(off: float, sigma: float = 0.08) -> tuple[Reconstruction, float]:
    """A clip in its own unit, with metric depth that is off by a logarithm, and the log of metres a unit in truth."""
    found, to_unit = disguise(film(LOFT, SEATED, (60, 80))[0], 3)
    true = -float(np.log(np.cbrt(np.linalg.det(to_unit[:3, :3]))))
    return replace(found, log_scale=true + off, log_scale_sigma=sigma), true


def scale_of(found: Reconstruction) -> Scale:
    stands, _, _ = upright(found, SETTINGS)
    (scale,) = find_scales([(stands.levels, stands.evidence)], SETTINGS)
    return scale


def test_a_low_camera_under_a_high_ceiling_is_told_by_metric_depth():
    found, true = reconstructed(0.03)
    without, with_it = scale_of(replace(found, log_scale=np.nan)), scale_of(found)
    assert abs(np.log(without.metres) - true) > 0.3
    assert abs(np.log(with_it.metres) - true) < 0.08
    assert with_it.sigma < 0.5 * without.sigma or ScaleCue.DISAGREEING in with_it.cues
    assert ScaleCue.METRIC_DEPTH in with_it.cues
    assert ScaleCue.METRIC_DEPTH not in without.cues


def test_what_is_stored_of_it_reaches_the_scale_through_the_stage(tmp_path: Path):
    found, true = reconstructed(0.03)
    video = store(tmp_path, found, replace(found, log_scale=np.nan, log_scale_sigma=np.nan))
    filled(scene, workbench_of(video, scene={"samples": 4000, "scale": "evidence"}))
    first, second = (read_scene(video, rows) for _, rows in clip_rows(video))
    assert abs(np.log(similarity_scale(first.world_from_reconstruction)) - true) < 0.08
    assert ScaleCue.METRIC_DEPTH in first.scale_cues
    assert ScaleCue.METRIC_DEPTH not in second.scale_cues
    assert second.scale_cues & ScaleCue.OTHER_CLIPS


def test_the_same_clip_in_another_unit_says_the_same_size():
    found, true = reconstructed(0.0)
    similarity = np.diag([2.5, 2.5, 2.5, 1.0])
    scaled = moved(found, similarity)
    assert scaled.log_scale == pytest.approx(true - np.log(2.5))
    assert np.log(scale_of(scaled).metres) == pytest.approx(np.log(scale_of(found).metres) - np.log(2.5), abs=0.02)


def test_a_clip_without_metric_depth_is_what_it_was():
    found, _ = reconstructed(0.0)
    assert metric_depth(replace(found, log_scale=np.nan, log_scale_sigma=np.nan)) is None
    assert metric_depth(replace(found, log_scale_sigma=np.nan)) is None


def test_what_all_clips_share_is_not_taken_for_their_own_spread():
    found, true = reconstructed(0.02, sigma=0.1)
    said = metric_depth(found)
    assert said is not None
    assert said.log_scale == pytest.approx(true + 0.02)
    assert said.own == pytest.approx(np.sqrt(0.1**2 - SHARED_SPREAD**2))
    assert said.sigma == pytest.approx(0.1)


def test_a_wide_camera_is_trusted_less():
    found, _ = reconstructed(0.0)
    wide = found.intrinsics.copy()
    wide[:, 0, 0] = 250  # 104 degrees
    usual, wider = metric_depth(found), metric_depth(replace(found, intrinsics=wide))
    assert usual is not None
    assert wider is not None
    assert wider.own > 2 * usual.own


def test_clips_of_one_world_say_it_together():
    assert together([None, None]) is None
    said = together([MetricDepth(0.1, 0.06), None, MetricDepth(0.3, 0.06)])
    assert said is not None
    assert said.log_scale == pytest.approx(0.2)
    assert 0.03 < said.own < 0.06


def test_metric_depth_that_agrees_makes_surer_and_one_that_does_not_is_outvoted():
    agreeing, absurd, wrong = (replace(room(), metric=MetricDepth(off, 0.05)) for off in (0.02, 40.0, 0.9))
    (plain,), (surer,), (nonsense,), (odd,) = (estimate_scales([one]) for one in (room(), agreeing, absurd, wrong))
    assert about(surer)[1] < 0.85 * about(plain)[1]
    assert about(nonsense) == pytest.approx(about(plain), abs=1e-3)
    assert abs(about(odd)[0] - about(plain)[0]) < 0.05


def test_many_clips_do_not_wear_down_what_metric_depth_is_off_by_in_all_of_them():
    """Rooms that show nothing but what metric depth says: twenty of them are hardly surer than one."""
    bare = replace(room(1.4, None, floor=False, lowest=0.6), metric=MetricDepth(0.1, 0.05))
    (alone,), among = estimate_scales([bare]), estimate_scales([bare] * 20)
    assert about(among[0])[1] > 0.75 * SHARED_SPREAD
    assert about(among[0])[1] <= about(alone)[1]


def test_other_clips_tell_what_metric_depth_is_off_by():
    """By 15 % in every clip of a video whose other rooms have floor and ceiling: a bare one is set right."""
    known = [replace(room(), metric=MetricDepth(0.15, 0.03)) for _ in range(6)]
    bare = replace(room(1.4, None, floor=False, lowest=0.6), metric=MetricDepth(0.15, 0.03))
    (alone,), among = estimate_scales([bare]), estimate_scales([*known, bare])[-1]
    assert about(alone)[0] > 0.1
    assert about(among)[0] < 0.6 * about(alone)[0]
