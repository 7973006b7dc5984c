import pytest
from pydantic import ValidationError

from pipeline.geometry.voxels import VoxelSettings
from pipeline.stages.occupancy.settings import OccupancySettings


def test_they_are_those_of_the_grids_and_these_alone_decide():
    assert OccupancySettings().decisive() == VoxelSettings().model_dump(mode="json")
    assert isinstance(OccupancySettings(), VoxelSettings)
    remade = OccupancySettings(earlier_grids="remake")
    assert remade.decisive() == OccupancySettings().decisive()
    assert (OccupancySettings().earlier(), remade.earlier()) == (("2", "1"), ())


@pytest.mark.parametrize("values", [{"reach_m": 0}, {"vote": "loudest"}, {"ray_spacing": 0.2}, {"reach": 5}])
def test_values_out_of_bounds_and_misspelt_names_are_refused(values: dict[str, object]):
    with pytest.raises(ValidationError):
        OccupancySettings.model_validate(values)
