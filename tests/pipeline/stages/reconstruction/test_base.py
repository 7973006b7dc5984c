import inspect

import pytest

from pipeline.stages.reconstruction.backends import SETTINGS
from pipeline.stages.reconstruction.base import Reconstructor


@pytest.mark.parametrize("name", SETTINGS.backends)
def test_every_backend_is_what_the_stage_relies_on(name: str):
    settings = SETTINGS.model_validate({"backend": name})
    backend = settings.make()
    assert backend.name == name, "as settings and provenance call it"
    assert hasattr(type(backend), "weights")
    declared, own = (inspect.signature(kind.reconstruct) for kind in (Reconstructor, type(backend)))
    assert list(own.parameters) == list(declared.parameters)
    assert inspect.getdoc(type(backend).reconstruct)
