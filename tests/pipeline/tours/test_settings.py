import pytest
from pydantic import ValidationError

from pipeline.tours.settings import TourSettings


@pytest.mark.parametrize("name", ["rooms", "ceiling", "eye_height", "field_of_view"])
def test_settings_refuse_ranges_the_wrong_way_round(name: str):
    low, high = f"{name}_min", f"{name}_max"
    defaults = TourSettings()
    swapped = {low: getattr(defaults, high), high: getattr(defaults, low)}
    with pytest.raises(ValidationError, match=f"{low} is larger than {high}"):
        TourSettings.model_validate(swapped)
    assert TourSettings.model_validate({low: swapped[low], high: swapped[low]})


@pytest.mark.parametrize(
    "wrong", [{"fps": 1}, {"rooms_min": 2}, {"cut_share": 1.1}, {"ceiling_max": 9}, {"storeys": 2}, {"texel": 0.005}]
)
def test_settings_refuse_what_no_tour_can_have(wrong: dict[str, float]):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        TourSettings.model_validate(wrong)


def test_texels_are_told_where_they_are_not_the_usual_ones():
    assert "texel" not in {**TourSettings().decisive(), **TourSettings().model_dump()}
    coarse = TourSettings(texel=0.03)
    assert coarse.decisive() == {**TourSettings().decisive(), "texel": 0.03}
    assert TourSettings.model_validate(coarse.model_dump()) == coarse


def test_every_setting_says_what_it_is():
    for name, field in TourSettings.model_fields.items():
        assert field.description, name
