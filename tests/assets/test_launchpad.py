from typing import Any

import dagster as dg
import pytest
from pydantic import ValidationError

from assets import definitions
from assets.launchpad import LaunchpadSettings, Profile, given
from assets.resources import PipelineResource
from pipeline.settings import described, load_settings
from pipeline.stages.profiles import PROFILES


def problems(config: dict[str, Any]) -> list[str]:
    """What the launchpad says of a configuration of the resource ``pipeline``."""
    run_config = {"resources": {"pipeline": {"config": config}}}
    job = definitions.resolve_job_def("process_video")
    found = dg.validate_run_config
    try:
        found(job, run_config)
    except dg.DagsterInvalidConfigError as error:
        return [problem.message for problem in error.errors]
    return []


def test_every_setting_is_a_field_with_its_description():
    offered: dict[str, str] = {}

    def walk(kind: Any, prefix: str) -> None:
        for name, field in kind.model_fields.items():
            nested = [part for part in getattr(field.annotation, "__args__", ()) if hasattr(part, "model_fields")]
            offered[f"{prefix}{name}"] = field.description or ""
            for part in nested:
                walk(part, f"{prefix}{name}.")

    walk(LaunchpadSettings, "")
    for name, _, description in described(load_settings("classic")):
        if name != "profile":
            assert offered[name] == description, name


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"overrides": {"clipz": {"clip_min_s": 2.0}}}, "clipz"),
        ({"overrides": {"clips": {"clip_min": 2.0}}}, "clip_min"),
        ({"overrides": {"dataset": {"parallel_videos": "two"}}}, "parallel_videos"),
        ({"overrides": {"dataset": {"order": "odd"}}}, "order"),
        ({"profile": "klassic"}, "klassic"),
        ({"dataa": "x"}, "dataa"),
    ],
)
def test_typos_are_refused_before_a_run_starts(config: dict[str, Any], named: str):
    (problem,) = problems(config)
    assert named in problem


def test_what_is_right_is_taken():
    assert problems({}) == []
    values = {"clips": {"clip_min_s": 2.0}, "dataset": {"order": "newest", "filters": {"motion_min": 0.1}}}
    assert problems({"profile": "small", "overrides": values}) == []


def test_backends_of_different_stages_are_different_choices():
    assert problems({"overrides": {"reconstruction": {"backend": "dust3r"}, "semantics": {"backend": "san"}}}) == []
    assert len(problems({"overrides": {"reconstruction": {"backend": "san"}}})) == 1


def test_profiles_are_an_enumeration():
    assert [profile.value for profile in Profile] == list(PROFILES)
    with pytest.raises(ValidationError, match="classic"):
        PipelineResource.model_validate({"profile": "klassic"})


def test_only_what_was_filled_in_is_handed_on():
    pipeline = PipelineResource.model_validate({"profile": "small", "overrides": {"video": {"tour": {"fps": 12}}}})
    assert given(pipeline) == {"profile": "small", "overrides": {"video": {"tour": {"fps": 12}}}}
    assert pipeline.settings().model_dump()["video"]["tour"]["fps"] == 12
