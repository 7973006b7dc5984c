"""What is said of clips whose size is known: errors, shares within deviations, and clips of one world."""

import numpy as np
import pytest

from pipeline.quality.metres.judge import factors, joined_members, judge
from pipeline.quality.metres.samples import SizedClip
from pipeline.stages.scene.evidence import ScaleEvidence
from pipeline.stages.scene.heights import Levels
from tests.pipeline.stages.scene.test_estimate import in_units, room


def sized(
    clip: ScaleEvidence, metres: float = 1.0, *, video: str = "a", ids: tuple[int, int] = (0, 0), kind: str = "rooms"
) -> SizedClip:
    """A clip in units of so many metres, whose floor and ceiling the paper's rule sees, too."""
    seen = in_units(clip, metres)
    ceiling = seen.ceilings[0].distance if seen.ceilings else None
    floor = -seen.floors[0].distance if seen.floors else None
    levels = Levels(0.0, -seen.lowest, seen.highest, floor, ceiling)
    unit = float(np.log(metres))
    return SizedClip(
        kind=kind, video=video, clip_id=ids[0], world_id=ids[1], log_metres=unit, levels=levels, evidence=seen
    )


def test_the_papers_rule_errs_by_what_its_walls_are_off():
    judged = judge([sized(room(1.53, 2.5), 0.4), sized(room(1.53, 2.8), 3.0, video="b")], "paper")
    assert judged.error == pytest.approx([np.log(2.8 / 2.5), 0.0], abs=1e-6)
    assert judged.within(1e9) == 1
    assert not judged.disagreeing.any()


def test_clips_of_one_world_have_one_scale_and_their_own_errors():
    clips = [
        sized(room(), ids=(0, 0)),
        sized(room(), ids=(1, 0)).model_copy(update={"log_metres": 0.05}),
        sized(room(), ids=(2, 2)),
    ]
    judged = judge(clips, "evidence")
    assert judged.sigma[0] == judged.sigma[1]
    assert judged.error[0] - judged.error[1] == pytest.approx(0.05)
    assert joined_members(clips) == [[("a", 0), ("a", 1)]]
    assert factors(judged, joined_members(clips)) == [pytest.approx(np.exp(0.05))]


def test_clips_whose_cues_disagree_are_told_apart():
    judged = judge([sized(room()), sized(room(1.53, 9.0), video="b")], "evidence")
    assert judged.disagreeing.tolist() == [False, True]
    assert [clip.video for clip in judged.where(judged.disagreeing).clips] == ["b"]
    assert len(judged.of_kind("rooms").clips) == 2
    assert len(judged.of_kind("gardens").clips) == 0
