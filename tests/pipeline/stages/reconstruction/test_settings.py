import pytest
from pydantic import ValidationError

from pipeline.stages.reconstruction.backends import SETTINGS
from pipeline.stages.reconstruction.settings import ReconstructionSettings


def test_every_backend_has_its_settings():
    own = set(SETTINGS.model_fields) - set(ReconstructionSettings.model_fields)
    assert own == {"colmap", "colmap_moge", "dust3r", "da3"}


def test_cameras_of_earlier_releases_stand_until_they_are_to_be_found_anew():
    plain, remade = SETTINGS(), SETTINGS.model_validate({"earlier_cameras": "remake"})
    assert plain.decisive() == remade.decisive()
    assert (plain.earlier(), remade.earlier()) == (("1",), ())


def test_misspelt_names_are_refused():
    with pytest.raises(ValidationError):
        SETTINGS.model_validate({"dustr": {}})
