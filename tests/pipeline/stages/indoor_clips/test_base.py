import inspect

import pytest

from pipeline.stages.indoor_clips.backends import SETTINGS
from pipeline.stages.indoor_clips.base import IndoorFilter


@pytest.mark.parametrize("name", SETTINGS.backends)
def test_every_backend_is_what_the_stage_relies_on(name: str):
    settings = SETTINGS.model_validate({"backend": name})
    backend = settings.make()
    assert backend.name == name, "as settings and provenance call it"
    assert hasattr(type(backend), "weights")
    declared, own = (inspect.signature(kind.score) for kind in (IndoorFilter, type(backend)))
    assert list(own.parameters) == list(declared.parameters)
    assert inspect.getdoc(type(backend).score)
