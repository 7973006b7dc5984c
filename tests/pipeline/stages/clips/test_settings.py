from typing import Any

import pytest
from pydantic import ValidationError

from pipeline.stages.clips.settings import LATER, ClipsSettings


def test_every_setting_explains_its_number():
    assert all(field.description for field in ClipsSettings.model_fields.values())


def test_all_of_them_decide_which_clips_there_are():
    changed = ClipsSettings(dissolve_motion_max=0.06)
    assert set(ClipsSettings.model_fields) - set(changed.decisive()) == set(LATER) - {"dissolve_motion_max"}
    assert changed.decisive()["dissolve_motion_max"] == 0.06


def test_clips_of_earlier_code_stand_until_somebody_asks_for_what_it_did_not_know():
    assert ClipsSettings(frames_max=20).earlier() == ("6", "5", "4", "3", "2", "1")
    assert not set(LATER) & set(ClipsSettings(frames_max=20).decisive())
    for asked in ({"dissolve_motion_max": 0.06}, {"shared_frames": 0}):
        assert ClipsSettings.model_validate(asked).earlier() == ()


@pytest.mark.parametrize(
    "values",
    [
        {"frames_per_second": 0},
        {"frames_min": 2},
        {"frames_max": 65},
        {"clip_min_s": 0},
        {"dissolve_dip": 1},
        {"blur_ratio": 1.1},
        {"black_level": 0},
        {"frames_per_secnd": 3},
    ],
)
def test_values_out_of_bounds_and_misspelt_names_are_refused(values: dict[str, Any]):
    with pytest.raises(ValidationError):
        ClipsSettings.model_validate(values)


def test_a_usual_shot_gives_a_clip():
    settings = ClipsSettings()
    # 4 to 6 s are a usual shot of a house tour (settings of frames_per_second).
    assert (
        settings.frames_min <= 4 * settings.frames_per_second <= 6 * settings.frames_per_second <= settings.frames_max
    )
    assert settings.clip_min_s > 2 * settings.trim_s
