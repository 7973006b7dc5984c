from typing import Any

import pytest
from pydantic import ValidationError

from pipeline.stages.reconstruction.dust3r.alignment.settings import AlignmentSettings


def test_every_number_is_explained():
    assert all(field.description for field in AlignmentSettings.model_fields.values())


def test_fields_of_view_that_are_believed_are_those_of_cameras():
    settings = AlignmentSettings()
    # Phones see about 65 to 80 degrees, wide lenses 120.
    assert settings.min_field_of_view < 40
    assert settings.max_field_of_view > 120


@pytest.mark.parametrize(
    "values",
    [
        {"min_pair_confidence": 0.9},
        {"pixels_per_image": 10},
        {"max_iterations": 0},
        {"tolerance": 0},
        {"max_field_of_view": 180},
        {"shared_fokal": True},
    ],
)
def test_values_out_of_bounds_and_misspelt_names_are_refused(values: dict[str, Any]):
    with pytest.raises(ValidationError):
        AlignmentSettings.model_validate(values)
