from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from pipeline.stages.video.settings import VideoSettings


def test_only_the_size_asked_for_and_the_tour_decide_which_video_arrives():
    patient = VideoSettings(retries=9, timeout_s=60, duration_max_s=10, bytes_max=2048, free_bytes_min=0)
    assert patient.decisive() == VideoSettings().decisive()
    assert set(VideoSettings().decisive()) == {"height_max", "tour"}
    assert VideoSettings(height_max=480).decisive() != VideoSettings().decisive()


def test_secrets_do_not_decide_and_are_not_written_down():
    known = VideoSettings.model_validate({"web": {"proxy": SecretStr("http://user:very-secret@a.org")}})
    assert "very-secret" not in f"{known!r} {known.decisive()} {known.model_dump_json()}"


@pytest.mark.parametrize(
    "values",
    [
        {"height_max": 100},
        {"duration_max_s": 0},
        {"bytes_max": 10},
        {"timeout_s": 0},
        {"retries": -1},
        {"web": {"per_host": 0}},
        {"duplicates": {"share": 0}},
        {"tour": {"fps": 0}},
        {"hieght_max": 480},
    ],
)
def test_values_out_of_bounds_and_misspelt_names_are_refused(values: dict[str, Any]):
    with pytest.raises(ValidationError):
        VideoSettings.model_validate(values)
