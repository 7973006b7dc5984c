import numpy as np
import pytest

from pipeline.pictures.floor_plan import PATH, VIEW, floor_plan

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


def test_floor_and_ceiling_are_left_out_so_that_walls_show():
    rng = np.random.default_rng(0)
    floor = np.column_stack([rng.uniform(0, 4, (500, 2)), np.zeros(500)]).astype(np.float32)
    ceiling = floor + np.array([0, 0, 2.6], np.float32)
    points = np.concatenate([floor, ceiling])
    plan = floor_plan(points, np.zeros((1000, 3), np.uint8), np.eye(4)[None], side=220)
    assert (np.asarray(plan)[:220] == 0).all(axis=-1).sum() == 0


def test_of_points_above_one_another_the_highest_is_seen():
    stack = np.array([[1, 1, 0.5], [1, 1, 2.0], [1, 1, 1.0]], np.float32)
    colours = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255]], np.uint8)
    shown = colours_of(floor_plan(stack, colours, np.eye(4)[None], side=120))
    assert (0, 255, 0) in shown
    assert not {(255, 0, 0), (0, 0, 255)} & shown


def test_cameras_look_where_they_look():
    poses = np.repeat(np.eye(4)[None], 2, axis=0)
    poses[:, :3, 2] = (1.0, 0.0, 0.0)  # forward along +x
    poses[:, :2, 3] = ((1, 1), (1, 3))
    plan = np.asarray(floor_plan(np.empty((0, 3), np.float32), np.empty((0, 3), np.uint8), poses, side=220))
    view = np.argwhere((plan[:220] == VIEW).all(axis=-1))
    path = np.argwhere((plan[:220] == PATH).all(axis=-1))
    assert view[:, 1].mean() > path[:, 1].mean() + 10, "0.4 m of 2 m on 200 pixels are 40"


def test_a_plan_without_points_spans_at_least_a_metre():
    plan = floor_plan(np.empty((0, 3), np.float32), np.empty((0, 3), np.uint8), np.eye(4)[None], side=120)
    assert plan.width >= 120
    assert PATH in colours_of(plan)


def test_a_few_stray_points_do_not_shrink_the_plan():
    rng = np.random.default_rng(0)
    room = np.column_stack([rng.uniform(0, 4, (5000, 2)), np.ones(5000)]).astype(np.float32)
    stray = np.array([[500, 500, 1]], np.float32)
    grey = np.full((5001, 3), 90, np.uint8)
    plan = np.asarray(floor_plan(np.concatenate([room, stray]), grey, np.eye(4)[None], side=220))
    assert (plan[:220] == 90).all(axis=-1).sum() > 0.3 * 220 * 220
