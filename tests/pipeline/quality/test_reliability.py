import pytest

from pipeline.quality.reliability import reliability
from pipeline.quality.scores import ClipErrors


def clip(probability: float | None, depth: float = 0.05, **changed: float | None) -> ClipErrors:
    named = {"video_id": "tour-1", "clip_id": 0, "frames": 9, "registered": 9}
    given = {"depth_abs_rel": depth, "probability_right": probability, "rotation_most": 1.0, **changed}
    return ClipErrors.model_validate({**dict.fromkeys(ClipErrors.model_fields, 0.0), **named, **given})


def test_of_clips_in_a_bin_those_that_are_right_are_counted():
    rows = {row.name: row for row in reliability([clip(0.95), clip(1.0), clip(0.92, depth=0.2), clip(0.3, depth=0.5)])}
    assert rows["right where P is 0.9 to 1"].value == pytest.approx(2 / 3)
    assert rows["right where P is 0.9 to 1"].says == "2 of 3 clips, which were given 0.96"
    assert rows["right where P is 0 to 0.5"].value == 0
    assert "right where P is 0.5 to 0.8" not in rows
    assert rows["Brier score of P"].value == pytest.approx((0.05**2 + 0 + 0.92**2 + 0.3**2) / 4)


def test_nothing_is_said_of_clips_whose_probability_is_not_known():
    assert reliability([clip(None), clip(None, depth=1.0)]) == []


@pytest.mark.parametrize(
    ("changed", "right"), [({}, True), ({"rotation_most": 6.0}, False), ({"direction_median": 6.0}, False)]
)
def test_a_clip_is_right_by_its_cameras_too(changed: dict[str, float | None], right: bool):
    assert clip(0.9, **changed).right is right


def test_scores_of_earlier_releases_are_judged_by_the_median_rotation():
    assert clip(0.9, rotation_median=4, rotation_most=None).right
    assert not clip(0.9, rotation_median=6, rotation_most=None).right
