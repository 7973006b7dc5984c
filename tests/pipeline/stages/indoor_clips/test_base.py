import pytest

from pipeline.stages.indoor_clips.backends import SETTINGS
from pipeline.stages.indoor_clips.base import IndoorFilter
from tests.pipeline.stages.protocols import assert_keeps_to


@pytest.mark.parametrize("name", SETTINGS.backends)
def test_every_backend_is_what_the_stage_relies_on(name: str):
    assert_keeps_to(IndoorFilter.score, SETTINGS.model_validate({"backend": name}).make(), name)
