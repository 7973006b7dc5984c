from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from pipeline.stages.indoor_clips.backends import IMAGENET, PLACES365, SETTINGS, SKY_RULE, SMALL, indoor_filter
from pipeline.stages.indoor_clips.settings import IndoorClipsSettings


@pytest.mark.parametrize("backend", [IMAGENET, SKY_RULE, PLACES365, SMALL])
def test_backends_are_chosen_by_name_and_made_without_asking_for_weights(backend: Any):
    assert indoor_filter(SETTINGS(backend=backend.name)).name == backend.name
    assert SETTINGS.backends[backend.name] is backend


def test_the_network_that_knows_the_world_is_the_default_and_its_weights_are_there():
    assert indoor_filter().name == "imagenet"
    assert [*indoor_filter().weights] == ["efficientnet-lite0-57934424.pth"]


def test_an_unknown_backend_is_refused():
    with pytest.raises(ValidationError):
        SETTINGS.model_validate({"backend": "oracle"})


def test_a_backend_has_the_settings_that_are_given_for_it():
    strict = SETTINGS.model_validate({"backend": "sky_rule", "sky_rule": {"balance": -1.0}})
    lenient = SETTINGS.model_validate({"backend": "sky_rule", "sky_rule": {"balance": 1.0}})
    rgb = np.random.default_rng(0).integers(0, 256, (2, 120, 160, 3), np.uint8)
    assert indoor_filter(strict).score(rgb).indoor < indoor_filter(lenient).score(rgb).indoor


def test_the_threshold_decides_whatever_the_backend():
    assert isinstance(SETTINGS(), IndoorClipsSettings)
    for name in SETTINGS.backends:
        chosen = SETTINGS(backend=name, threshold=0.7)
        assert chosen.decisive()["threshold"] == 0.7
        assert set(chosen.decisive()) == {"backend", "threshold", name}


def test_only_the_large_network_asks_for_a_part_of_a_gpu():
    assert {backend.name: backend.resources.gpu_share for backend in (IMAGENET, SKY_RULE, PLACES365, SMALL)} == {
        "imagenet": 0,
        "sky_rule": 0,
        "places365": 0.1,
        "small": 0,
    }
