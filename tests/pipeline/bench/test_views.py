import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from pipeline.bench import views as bench
from pipeline.bench.views import Rate, as_json, table
from pipeline.contract.classes import SemanticClass
from pipeline.tours.camera import intrinsics_of
from pipeline.tours.house import House
from pipeline.tours.light import Lighting
from pipeline.tours.settings import TourSettings
from pipeline.tours.surfaces import Thing
from pipeline.tours.timeline import Timeline, TourShot
from pipeline.tours.tour import Tour
from pipeline.tours.views import LitHouse, light_house
from tests.pipeline.tours.shapes import bare_house, block, standing

RATES = [Rate("open3d", "cpu", 41.26, 9000, 2.5), Rate("torch", "cpu", 1.234, 9000, 2.5)]


@pytest.fixture(scope="module")
def tour() -> Tour:
    """Two shots of one bare room, and one from outside."""
    kinds = ("indoor", "outdoor", "indoor")
    shots = tuple(TourShot(i, kind, 12 * i, 12 * (i + 1)) for i, kind in enumerate(kinds))
    walks = (standing(1, 1, 0.0), standing(9, 9, 3.0), standing(3, 2, np.pi))
    return Tour(0, TourSettings(), bare_house(), Timeline(shots, ()), walks, intrinsics_of(90))


@pytest.fixture(scope="module")
def house(tour: Tour) -> LitHouse:
    things, rooms = tour.house.things, tour.house.rooms
    return light_house(things, rooms, np.random.default_rng(0), Lighting(spacing=1.0, rays=2), 0.1)


def test_cameras_stand_on_the_walks_of_rooms_in_turn_with_the_pictures_intrinsics(tour: Tour):
    cameras = bench._cameras(tour, 4)
    assert (len(cameras), cameras.height, cameras.width) == (4, bench.HEIGHT, bench.WIDTH)
    np.testing.assert_allclose(cameras.camera_to_world[:, :2, 3], [[1, 1], [3, 2], [1, 1], [3, 2]])
    # 90 degrees of view: half the width is the focal length.
    np.testing.assert_allclose(cameras.intrinsics[0], [[96, 0, 96], [0, 96, 72], [0, 0, 1]], rtol=1e-5)


@pytest.mark.parametrize("backend", ["open3d", "torch"])
def test_a_rate_is_that_of_rendering(tour: Tour, house: LitHouse, monkeypatch: pytest.MonkeyPatch, backend: str):
    monkeypatch.setattr(bench, "WIDTH", 32)
    monkeypatch.setattr(bench, "HEIGHT", 24)
    rate = bench._rate(tour, house, "torch" if backend == "torch" else "open3d", "cpu", 2)
    assert 0 < rate < np.inf


def test_rates_are_a_table_and_json():
    assert table(RATES).splitlines() == [
        "| backend | device | views/s |",
        "|---|---|---|",
        "| open3d | cpu | 41.3 |",
        "| torch | cpu | 1.23 |",
    ]
    assert [Rate(**row) for row in json.loads(as_json(RATES))] == RATES


def test_every_backend_of_a_cpu_is_measured_and_those_of_a_gpu_where_there_is_one():
    assert {pair for pair in bench.VIEWS if pair[1] == "cpu"} == {("open3d", "cpu"), ("torch", "cpu")}
    assert all(count >= 2 for count in bench.VIEWS.values()), "two views warm up"


def test_rates_are_those_of_the_inside_of_one_house(tour: Tour, monkeypatch: pytest.MonkeyPatch):
    lawn = Thing(SemanticClass.UNKNOWN, block((9, 9, 0), (10, 10, 1)).parts)
    with_garden = replace(tour, house=House(tour.house.rooms, (*tour.house.things, lawn)))
    monkeypatch.setattr(Tour, "from_seed", lambda *_: with_garden)
    monkeypatch.setattr(bench, "VIEWS", {("open3d", "cpu"): 2})
    monkeypatch.setattr(bench, "WIDTH", 32)
    monkeypatch.setattr(bench, "HEIGHT", 24)
    threads = torch.get_num_threads()
    (rate,) = bench.benchmark()
    torch.set_num_threads(threads)
    assert (rate.backend, rate.device) == ("open3d", "cpu")
    assert rate.triangles == len(tour.house.mesh.triangles), "the garden is left out"
    assert rate.views_per_second > 0
    assert rate.house_seconds > 0
