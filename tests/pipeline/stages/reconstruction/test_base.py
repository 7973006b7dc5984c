import pytest

from pipeline.stages.reconstruction.backends import SETTINGS
from pipeline.stages.reconstruction.base import Reconstructor
from tests.pipeline.stages.protocols import assert_keeps_to


@pytest.mark.parametrize("name", SETTINGS.backends)
def test_every_backend_is_what_the_stage_relies_on(name: str):
    assert_keeps_to(Reconstructor.reconstruct, SETTINGS.model_validate({"backend": name}).make(), name)
