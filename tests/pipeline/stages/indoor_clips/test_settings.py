from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from pipeline.stages.indoor_clips.backends import SETTINGS
from pipeline.stages.indoor_clips.settings import (
    ImageNetIndoorSettings,
    IndoorClipsSettings,
    Places365Settings,
    SkyRuleSettings,
    SmallIndoorSettings,
)

MODELS = (IndoorClipsSettings, ImageNetIndoorSettings, Places365Settings, SkyRuleSettings, SmallIndoorSettings)


@pytest.mark.parametrize("model", MODELS)
def test_every_number_is_explained(model: type[BaseModel]):
    own = {name for name in model.model_fields if name != "backend"}
    assert all(model.model_fields[name].description for name in own)


@pytest.mark.parametrize(
    "values",
    [
        {"threshold": 1.1},
        {"sky_rule": {"frames": 0}},
        {"sky_rule": {"softness": 0}},
        {"places365": {"categories_kept": 366}},
        {"places365": {"weights": ""}},
        {"small": {"frames": 65}},
        {"small": {"device": "cpu"}},
    ],
)
def test_values_out_of_bounds_and_unknown_names_are_refused(values: dict[str, Any]):
    with pytest.raises(ValidationError):
        SETTINGS.model_validate(values)
