from types import ModuleType

import pytest

import models
import pipeline
import training
from models.lazy import lazy


@pytest.mark.parametrize("package", [models, pipeline, training], ids=lambda package: package.__name__)
def test_what_a_package_offers_is_there(package: ModuleType):
    for name in package.__all__:
        assert getattr(package, name).__name__ == name


def test_other_names_are_refused_as_python_does():
    named = lazy("rooms", {"Path": "pathlib"})
    assert named("Path").__name__ == "Path"
    with pytest.raises(AttributeError, match="module 'rooms' has no attribute 'Sofa'"):
        named("Sofa")
