"""The estimate of scale, on evidence of rooms whose sizes are known."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contract.scale import ScaleCue
from pipeline.stages.scene.estimate import ScaleEstimate, estimate_scales
from pipeline.stages.scene.evidence import LevelSeen, ScaleEvidence
from pipeline.stages.scene.heights import Levels, Scale
from pipeline.stages.scene.metric_depth import MetricDepth
from pipeline.stages.scene.scales import find_scales
from pipeline.stages.scene.settings import SceneSettings
from pipeline.stages.scene.sizes import SURE_HIDDEN

EVIDENCE = SceneSettings(scale="evidence")
METRES = st.floats(0.2, 5.0)
CAMERAS = st.floats(1.2, 1.9)


def room(camera: float = 1.53, ceiling: float | None = 2.55, floor: bool = True, lowest: float = 0.0) -> ScaleEvidence:
    """A clip in metres: the camera's height, that of the ceiling, whether the floor is seen, and the lowest surface."""
    return ScaleEvidence(
        floors=(LevelSeen(camera, 0.05, 0.0),) if floor else (),
        ceilings=() if ceiling is None else (LevelSeen(ceiling - camera, 0.05, 0.0),),
        lowest=camera - lowest,
        highest=0.6 if ceiling is None else ceiling - camera,
        camera_range=0.02,
        pitch=-0.1,
    )


def in_units(clip: ScaleEvidence, metres: float) -> ScaleEvidence:
    """The same clip in units of so many metres."""
    levels = [tuple(replace(one, distance=one.distance / metres) for one in clip.floors + clip.ceilings)]
    return replace(
        clip,
        floors=levels[0][: len(clip.floors)],
        ceilings=levels[0][len(clip.floors) :],
        lowest=clip.lowest / metres,
        highest=clip.highest / metres,
        camera_range=clip.camera_range / metres,
    )


def scales_of_rooms(*clips: ScaleEvidence) -> list[Scale]:
    levels = Levels(0.0, -1.53, 1.02, -1.53, None)
    return find_scales([(levels, clip) for clip in clips], SceneSettings(scale="evidence"))


def estimate(*clips: ScaleEvidence) -> list[ScaleEstimate]:
    return estimate_scales(list(clips))


def about(found: ScaleEstimate) -> tuple[float, float]:
    return found.median(), found.deviation(found.median())


@settings(max_examples=6, deadline=None)
@given(METRES, CAMERAS)
def test_a_clip_in_other_units_has_a_scale_that_goes_with_them_and_the_same_deviation(metres: float, camera: float):
    clips = room(camera), room(camera, ceiling=None)
    (first, second), (scaled, _) = estimate(*clips), estimate(in_units(clips[0], metres), clips[1])
    assert scaled.median() == pytest.approx(first.median() + np.log(metres), abs=1e-6)
    assert scaled.deviation(scaled.median()) == pytest.approx(first.deviation(first.median()), abs=1e-6)
    assert scaled.drop == pytest.approx(first.drop / metres)
    assert second.rise is None


@settings(max_examples=4, deadline=None)
@given(st.permutations(range(4)))
def test_the_order_of_the_clips_changes_nothing(order: list[int]):
    clips = [room(1.5), room(1.62, None), in_units(room(1.5, 3.0), 0.4), room(1.4, None, floor=False, lowest=0.3)]
    before, after = estimate(*clips), estimate(*(clips[i] for i in order))
    for place, i in enumerate(order):
        assert about(after[place]) == pytest.approx(about(before[i]), abs=1e-9)


@settings(max_examples=10, deadline=None)
@given(st.floats(1.42, 1.65), st.floats(2.4, 2.75), METRES)
def test_usual_rooms_come_out_within_a_tenth(camera: float, ceiling: float, metres: float):
    clip = room(camera, ceiling)
    furnished = replace(clip, floors=(*clip.floors, LevelSeen(camera - 0.75, 0.01, 0.3)))
    (found,) = estimate(in_units(furnished, metres))
    assert found.median() == pytest.approx(np.log(metres), abs=0.1)
    assert found.deviation(found.median()) < 0.12
    assert found.floor_seen


def test_two_cues_that_agree_are_surer_than_one_and_than_two_that_do_not():
    (both,), (floor,) = estimate(room()), estimate(room(ceiling=None))
    (quarrel,) = estimate(room(1.53, 3.6))
    assert both.deviation(both.median()) < 0.8 * floor.deviation(floor.median())
    assert quarrel.deviation(quarrel.median()) > 1.2 * both.deviation(both.median())


def test_other_clips_of_the_video_say_how_high_its_camera_is():
    seated = [room(1.15, 2.55) for _ in range(4)]
    alone, *_ = estimate(room(1.15, None))
    among = estimate(*seated, room(1.15, None))[-1]
    assert alone.median() > 0.2, "it counts as held"
    assert abs(among.median()) < 0.6 * alone.median()
    assert among.deviation(among.median()) < alone.deviation(alone.median())


def test_a_scale_far_from_the_evidence_has_a_large_deviation():
    (found,) = estimate(room())
    assert found.deviation(np.log(1.5)) > 3 * found.deviation(found.median())
    assert found.deviation(np.log(1.5)) == pytest.approx(np.log(1.5), abs=0.1)


@pytest.mark.parametrize(
    "odd",
    [
        room(1.4, None, floor=False, lowest=0.6),
        replace(room(ceiling=None), camera_range=0.8),
        replace(room(ceiling=None), pitch=-0.65),
        ScaleEvidence((), (), 1.0, 1.0, 0.0, 0.0),
        ScaleEvidence((), (), -0.2, 3.0, 0.0, 0.6),
        ScaleEvidence((), (), 0.04, 3.1, 0.7, 0.56),
        ScaleEvidence((), (), 1.0, -0.3, 0.0, -0.7),
        ScaleEvidence((LevelSeen(1.0, 0.04, 0.2),), (), 1.5, 0.5, 0.0, 0.0),
    ],
    ids=["no floor", "a crane", "from above", "nothing level", "all above", "looking up", "all below", "a table"],
)
def test_whoever_shows_little_is_not_sure(odd: ScaleEvidence):
    (plain,) = estimate(room(ceiling=None))
    (found,) = estimate(odd)
    assert found.deviation(found.median()) > 1.2 * plain.deviation(plain.median())
    assert found.probabilities.sum() == pytest.approx(1)
    assert found.drop > 0


def test_whoever_looks_up_and_sees_no_ceiling_knows_next_to_nothing():
    for lowest in (-0.2, 0.0, 0.1, 0.5):
        (found,) = estimate(ScaleEvidence((), (), lowest, 3.0, 0.0, 0.3))
        assert found.deviation(found.median()) > 0.5
        assert found.deviation(0.0) > 0.5


def test_an_attic_and_a_warehouse_show_in_the_deviation():
    ordinary, low, high = (estimate(room(camera, h))[0] for camera, h in ((1.53, 2.55), (1.53, 1.75), (1.53, 9.0)))
    for odd in (low, high):
        assert odd.deviation(odd.median()) > 1.4 * ordinary.deviation(ordinary.median())


@pytest.mark.parametrize(
    ("top", "ceiling"),
    [*((top, ceiling) for top in (0.45, 0.55, 0.75) for ceiling in (2.6, 2.75)), (0.9, 2.75)],
)
def test_furniture_that_hides_the_floor_is_within_two_deviations_and_named(top: float, ceiling: float):
    clip = room(1.53 - top, ceiling - top)
    (found,) = estimate(clip)
    assert abs(found.median()) < 2 * found.deviation(found.median())
    (scale,) = find_scales([(Levels(0.0, top - 1.53, ceiling - 1.53, None, None), clip)], EVIDENCE)
    assert ScaleCue.DISAGREEING in scale.cues
    assert "may be furniture that hides it" in scale.disagree


def test_a_floor_at_its_usual_distance_is_not_taken_for_furniture_and_no_size_moves_for_it():
    lone = room(1.53)
    (alone,), (under,) = estimate(lone), estimate(replace(lone, floors=(*lone.floors, LevelSeen(0.78, 0.01, 0.3))))
    assert 0 < alone.hidden < SURE_HIDDEN
    assert under.hidden == 0, "furniture stands on it"
    assert alone.median() == pytest.approx(under.median(), abs=0.005)
    assert under.deviation(under.median()) <= alone.deviation(alone.median())


@pytest.mark.parametrize("times", [1 / 12, 1 / 6, 1 / 3])
@pytest.mark.parametrize("clips", [1, 3])
def test_a_dolls_house_with_metric_depth_shows_in_the_deviation(times: float, clips: int):
    """A room and a camera of a doll's proportions: nothing but metric depth can tell how small they are."""
    dolls = replace(in_units(room(), 1 / times), metric=MetricDepth(0.0, 0.05))
    for scale in scales_of_rooms(*[dolls] * clips):
        error = float(np.log(scale.metres))
        assert abs(error) < 2.5 * scale.sigma
        assert scale.sigma > 0.3
        assert ScaleCue.DISAGREEING in scale.cues


def test_a_dolls_house_without_metric_depth_is_taken_for_a_house():
    """The limit that the guide tells of: what is alike in all its proportions cannot be told from it."""
    (dolls,), (house,) = estimate(in_units(room(), 12.0)), estimate(room())
    assert dolls.median() == pytest.approx(house.median() + np.log(12), abs=1e-6)
    assert about(dolls)[1] == pytest.approx(about(house)[1], abs=1e-6)


def test_a_storey_with_a_higher_ceiling_keeps_its_own_scale():
    clips = [room(1.53, 2.45), room(1.53, 2.45), room(1.53, 2.45), room(1.53, 3.2)]
    found = estimate(*clips)
    assert [one.median() for one in found[:3]] == pytest.approx([found[0].median()] * 3)
    assert abs(found[3].median()) < 0.12, "the camera is held as before; the ceiling goes by no other"
