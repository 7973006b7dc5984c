import numpy as np
import pytest

from pipeline.tours.light import Lighting
from pipeline.tours.tour import Tour
from pipeline.tours.views import Cameras, LitHouse, light_house

from .cameras import HEIGHT, WIDTH, cameras_of

COARSE = Lighting(spacing=0.5, rays=4)


@pytest.fixture(scope="session")
def house(tour: Tour) -> LitHouse:
    rng = np.random.default_rng(0)
    return light_house(tour.house.things, tour.house.rooms, rng, COARSE, texel=0.03, texel_outside=0.1)


@pytest.fixture(scope="session")
def cameras(tour: Tour) -> Cameras:
    walks = [walk for walk in tour.walks if walk is not None]
    poses = [walk.at(0.5 * walk.duration) for walk in walks]
    return cameras_of(tour, np.stack(poses), HEIGHT, WIDTH)
