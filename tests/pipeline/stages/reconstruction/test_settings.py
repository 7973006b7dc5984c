import pytest
from pydantic import ValidationError

from pipeline.stages.reconstruction.backends import SETTINGS
from pipeline.stages.reconstruction.settings import ReconstructionSettings


def test_the_stage_has_no_settings_but_those_of_its_backends():
    assert set(ReconstructionSettings.model_fields) == {"backend"}
    assert set(SETTINGS.model_fields) == {"backend", "colmap", "dust3r"}


def test_misspelt_names_are_refused():
    with pytest.raises(ValidationError):
        SETTINGS.model_validate({"dustr": {}})
