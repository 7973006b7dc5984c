from typing import Any

import pytest
from pydantic import ValidationError

from pipeline.stages.reconstruction.backends import COLMAP, COLMAP_MOGE, DA3, DUST3R, SETTINGS, reconstructor
from pipeline.stages.reconstruction.colmap.backend import ColmapReconstructor
from pipeline.stages.reconstruction.colmap_moge.backend import ColmapMogeReconstructor
from pipeline.stages.reconstruction.da3.backend import Da3Reconstructor
from pipeline.stages.reconstruction.dust3r.backend import Dust3rReconstructor


def test_the_backend_that_needs_no_weights_is_the_default():
    assert isinstance(reconstructor(), ColmapReconstructor)
    assert dict(reconstructor().weights) == {}


@pytest.mark.parametrize(
    ("backend", "kind"),
    [
        (COLMAP, ColmapReconstructor),
        (DUST3R, Dust3rReconstructor),
        (DA3, Da3Reconstructor),
        (COLMAP_MOGE, ColmapMogeReconstructor),
    ],
)
def test_backends_are_chosen_by_name_and_made_without_asking_for_weights(backend: Any, kind: type):
    made = reconstructor(SETTINGS(backend=backend.name))
    assert isinstance(made, kind)
    assert made.name == backend.name
    assert SETTINGS.backends[backend.name] is backend


def test_a_backend_has_the_settings_that_are_given_for_it():
    made = reconstructor(SETTINGS.model_validate({"colmap": {"sparse": {"max_features": 500}}}))
    assert isinstance(made, ColmapReconstructor)
    assert made.settings.sparse.max_features == 500


def test_settings_of_the_other_backend_decide_nothing():
    one = SETTINGS.model_validate({"dust3r": {"window": 2}})
    assert one.decisive() == SETTINGS().decisive()
    assert set(one.decisive()) == {"backend", "colmap"}


def test_an_unknown_backend_is_refused():
    with pytest.raises(ValidationError):
        SETTINGS.model_validate({"backend": "oracle"})


def test_networks_want_a_gpu_to_themselves_and_geometry_none():
    assert [backend.resources.gpu_share for backend in (COLMAP, DUST3R, DA3, COLMAP_MOGE)] == [0, 1, 1, 1]
