import numpy as np
import pytest

from pipeline.contract.classes import SemanticClass
from pipeline.tours.materials import Material
from training.small.houses import VariedHouse, _other_material, varied_house
from training.small.settings import VarietySettings, ViewpointSettings
from training.small.viewpoints import garden_poses, room_poses, sees_enough

VARIETY = VarietySettings()


@pytest.fixture(scope="module")
def house() -> VariedHouse:
    return varied_house(np.random.default_rng((0, 0, 0)), VARIETY, 0.2, garden=False)


def test_a_house_without_garden_is_all_rooms(house: VariedHouse):
    labels = set(house.lit.mesh.labels.tolist())
    assert SemanticClass.UNKNOWN not in labels
    assert {SemanticClass.FLOOR, SemanticClass.CEILING, SemanticClass.WALL, SemanticClass.WINDOW} <= labels


def test_the_stretch_is_that_of_the_mesh(house: VariedHouse):
    planned = np.concatenate([item.bounds() for item in house.plan.things])
    built = house.lit.mesh.vertices
    assert np.allclose(built.max(axis=0), planned.max(axis=0) * house.stretch, atol=1e-4)
    assert (np.abs(np.log(house.stretch[:2])) <= np.log(VARIETY.stretch_floor)).all()


def test_the_same_draw_builds_the_same_house(house: VariedHouse):
    again = varied_house(np.random.default_rng((0, 0, 0)), VARIETY, 0.2, garden=False)
    assert np.array_equal(again.lit.mesh.vertices, house.lit.mesh.vertices)
    assert np.array_equal(again.lit.atlas.levels[0], house.lit.atlas.levels[0])


def test_cameras_stand_in_rooms_and_see_something(house: VariedHouse):
    chosen = ViewpointSettings(median_depth_min=1.2)
    for camera in room_poses(np.random.default_rng(1), house, 12, chosen):
        x, y, z = camera[:3, 3] / house.stretch
        assert any(b[0] < x < b[2] and b[1] < y < b[3] for b in (room.bounds for room in house.plan.rooms))
        assert chosen.eye_height[0] <= z * house.stretch[2] <= chosen.eye_height[1]
        assert sees_enough(house.lit.caster, camera, 1.2)


def test_where_nothing_is_far_enough_any_pose_is_taken(house: VariedHouse):
    poses = room_poses(np.random.default_rng(1), house, 2, ViewpointSettings(median_depth_min=1000))
    assert poses.shape == (2, 4, 4)


def test_cameras_in_the_garden_are_outside(house: VariedHouse):
    x1, y1 = np.max([room.bounds[2:] for room in house.plan.rooms], axis=0) * house.stretch[:2]
    for camera in garden_poses(np.random.default_rng(1), house, 12, ViewpointSettings()):
        assert not (0 < camera[0, 3] < x1 and 0 < camera[1, 3] < y1)


@pytest.mark.parametrize("pattern", ["view", "screen", "books"])
def test_what_says_what_a_thing_is_is_not_recoloured(pattern: str):
    material = Material(pattern, seed=3)
    assert _other_material(np.random.default_rng(0), material, VARIETY) is material
