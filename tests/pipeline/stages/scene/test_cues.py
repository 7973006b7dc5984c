"""Which cues disagree, and that a clip in which some do says so and is less sure."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.contract.scale import ScaleCue
from pipeline.stages.scene.cues import CueReading, disagreement
from pipeline.stages.scene.evidence import ScaleEvidence
from pipeline.stages.scene.heights import Levels, Scale
from pipeline.stages.scene.metric_depth import MetricDepth
from pipeline.stages.scene.scales import find_scales
from pipeline.stages.scene.settings import SceneSettings
from tests.pipeline.stages.scene.test_estimate import room

RULES = ("paper", "evidence")


def scales(*clips: ScaleEvidence, rule: str = "evidence") -> list[Scale]:
    """What comes of clips, of which the paper's rule sees the floor and the camera."""
    levels = [
        Levels(0.0, -clip.lowest, clip.highest, -clip.floors[0].distance if clip.floors else None, None)
        for clip in clips
    ]
    return find_scales(list(zip(levels, clips, strict=True)), SceneSettings.model_validate({"scale": rule}))


def saying(clip: ScaleEvidence, log_scale: float, own: float = 0.05) -> ScaleEvidence:
    """The clip, of which metric depth says a scale."""
    return replace(clip, metric=MetricDepth(log_scale, own))


def test_the_two_that_are_most_deviations_apart_are_named_with_their_sizes():
    found = disagreement(
        [
            CueReading(ScaleCue.CAMERA_HEIGHT, 0.0, 0.07),
            CueReading(ScaleCue.CEILING, 0.5, 0.08),
            CueReading(ScaleCue.METRIC_DEPTH, 0.4, 0.3),
        ]
    )
    assert found is not None
    assert found.apart == 0.5
    assert found.deviations == pytest.approx(0.5 / np.hypot(0.07, 0.08))
    assert found.sentence() == "by ceiling all is 1.65 times as large as by camera height, 4.7 deviations apart"


def test_cues_within_three_deviations_do_not_disagree():
    assert disagreement([]) is None
    assert disagreement([CueReading(ScaleCue.CEILING, 0.0, 0.1)]) is None
    near = [CueReading(ScaleCue.CEILING, 0.0, 0.1), CueReading(ScaleCue.CAMERA_HEIGHT, 0.4, 0.1)]
    assert disagreement(near) is None


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    "odd",
    [
        room(1.53, 1.7),
        room(1.53, 9.0),
        saying(room(), np.log(1 / 12)),
        saying(room(1.53, 4.0), np.log(2.0)),
        room(0.7, 2.55),
    ],
    ids=["a low attic", "a warehouse", "a doll's house", "all cues outliers", "a camera on the floor"],
)
def test_a_clip_whose_cues_disagree_says_so_and_is_as_unsure_as_they_are_apart(odd: ScaleEvidence, rule: str):
    (plain,), (found,) = scales(room(), rule=rule), scales(odd, rule=rule)
    assert ScaleCue.DISAGREEING not in plain.cues
    assert not plain.disagree
    assert ScaleCue.DISAGREEING in found.cues
    assert "deviations apart" in found.disagree
    assert found.sigma > 1.5 * plain.sigma
    assert found.sigma > 0.17, "half of three deviations of camera and ceiling"


@pytest.mark.parametrize("rule", RULES)
def test_a_clip_that_shows_no_floor_has_a_large_deviation_and_nothing_to_disagree(rule: str):
    for clip in (room(1.4, None, floor=False, lowest=0.6), ScaleEvidence((), (), 1.0, 1.0, 0.0, 0.0)):
        (found,) = scales(clip, rule=rule)
        assert ScaleCue.DISAGREEING not in found.cues
        assert found.sigma > 0.2


def test_a_camera_that_nobody_holds_disagrees_with_no_ceiling():
    overhead = replace(room(2.2, 2.55), camera_range=0.9)
    assert not scales(overhead)[0].disagree
    assert scales(replace(overhead, camera_range=0.02))[0].disagree


def test_one_clip_of_a_video_that_disagrees_says_so_for_itself():
    seated = [room(1.1, 2.55) for _ in range(5)]
    assert not any(scale.disagree for scale in scales(*seated)), "the video knows how high its camera is"
    *others, odd = scales(*seated, room(1.1, 4.6))
    assert not any(scale.disagree for scale in others)
    assert odd.disagree


def test_two_storeys_of_different_height_disagree_only_beyond_three_deviations():
    ground, upper = [room(1.53, 2.6)] * 3, [room(1.53, 2.3)] * 3
    assert not any(scale.disagree for scale in scales(*ground, *upper))
    assert scales(*ground, room(1.53, 4.2))[-1].disagree
