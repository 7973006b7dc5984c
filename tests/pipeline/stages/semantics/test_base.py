import inspect

import pytest

from pipeline.stages.semantics.backends import SETTINGS
from pipeline.stages.semantics.base import Segmenter


@pytest.mark.parametrize("name", SETTINGS.backends)
def test_every_backend_is_what_the_stage_relies_on(name: str):
    settings = SETTINGS.model_validate({"backend": name, "closed_set": {"folder": "nowhere"}})
    backend = settings.make()
    assert backend.name == name, "as settings and provenance call it"
    assert hasattr(type(backend), "weights")
    declared, own = (inspect.signature(kind.segment) for kind in (Segmenter, type(backend)))
    assert list(own.parameters) == list(declared.parameters)
    assert inspect.getdoc(type(backend).segment)
