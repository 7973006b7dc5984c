import numpy as np
import pytest

from pipeline.pictures.floor_plan import PATH, floor_plan

from .colours import colours_of


def test_floor_plan_draws_north_up_and_the_path_where_the_cameras_were():
    wall = np.stack([np.linspace(0, 4, 400), np.full(400, 4.0), np.full(400, 1.0)], axis=1).astype(np.float32)
    poses = np.repeat(np.eye(4)[None], 5, axis=0)
    poses[:, :3, 3] = np.linspace((0.5, 0.5, 1.5), (3.5, 0.5, 1.5), 5)
    plan = np.asarray(floor_plan(wall, np.zeros((400, 3), np.uint8), poses, side=220))
    path_rows = np.argwhere((plan[:220] == PATH).all(axis=-1))[:, 0]
    wall_rows = np.argwhere((plan[:220] == 0).all(axis=-1))[:, 0]
    assert path_rows.mean() - wall_rows.mean() == pytest.approx(3.5 * 200 / 4, rel=0.15), "3.5 m south of the wall"


def test_floor_plan_holds_cameras_that_stand_outside_of_the_points():
    points = np.random.default_rng(0).uniform((0, 5, 1), (4, 6, 2), (5000, 3)).astype(np.float32)
    plan = floor_plan(points, np.zeros((5000, 3), np.uint8), np.eye(4)[None], side=220)
    assert PATH in colours_of(plan)
