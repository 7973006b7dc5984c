import pytest

from pipeline.tours.settings import TourSettings
from pipeline.tours.tour import Tour

SMALL = TourSettings(rooms_min=3, rooms_max=3, fps=4, shot_seconds=1.0, title_seconds=0.5, texel=0.02)


@pytest.fixture(scope="session")
def tour() -> Tour:
    return Tour.from_seed(5, SMALL)
