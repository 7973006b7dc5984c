import pytest
from pydantic import ValidationError

from pipeline.contract.values import laid_over
from pipeline.geometry.filling import VoxelSettings
from pipeline.stages.occupancy.settings import OccupancySettings


def test_they_are_those_of_the_grids_and_these_alone_decide():
    by_rays = OccupancySettings(occupied_by="rays")
    assert by_rays.decisive() == VoxelSettings(occupied_by="rays").model_dump(mode="json")
    assert isinstance(OccupancySettings(), VoxelSettings)
    remade = OccupancySettings(earlier_grids="remake")
    assert remade.decisive() == OccupancySettings().decisive()
    assert (OccupancySettings().earlier(), remade.earlier()) == (("3", "2", "1"), ())


@pytest.mark.parametrize("values", [{"reach_m": 0}, {"vote": "loudest"}, {"ray_spacing": 0.2}, {"reach": 5}])
def test_values_out_of_bounds_and_misspelt_names_are_refused(values: dict[str, object]):
    with pytest.raises(ValidationError):
        OccupancySettings.model_validate(values)


def test_grids_by_points_say_what_they_said_before_there_were_rays():
    by_points, by_rays = OccupancySettings(), OccupancySettings(occupied_by="rays", least_share=0.1)
    assert set(by_points.decisive()) == {"ray_spacing", "reach_m", "vote"}
    assert laid_over(OccupancySettings.unsaid(), by_points.decisive())["occupied_by"] == "points"
    assert by_rays.decisive_before("3") == by_points.decisive(), "they stand, whatever is asked for now"
    assert by_rays.decisive()["least_share"] == 0.1


@pytest.mark.parametrize(("version", "rule"), [("1", "points"), ("2", "points"), ("3", "points"), ("4", "rays")])
def test_grids_are_scored_by_the_rule_that_made_them(version: str, rule: str):
    assert OccupancySettings(occupied_by="rays").as_made(version).occupied_by == rule
