import pytest

from pipeline.stages.semantics.backends import SETTINGS
from pipeline.stages.semantics.base import Segmenter
from tests.pipeline.stages.protocols import assert_keeps_to


@pytest.mark.parametrize("name", SETTINGS.backends)
def test_every_backend_is_what_the_stage_relies_on(name: str):
    settings = SETTINGS.model_validate({"backend": name, "closed_set": {"folder": "nowhere"}})
    assert_keeps_to(Segmenter.segment, settings.make(), name)
