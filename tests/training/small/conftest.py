"""A house and a chunk of each tiny recipe, rendered once."""

import numpy as np
import pytest

from tests.training.small.tiny_recipes import DUST3R, INDOOR, SAN
from training.small.houses import VariedHouse, varied_house
from training.small.indoor import IndoorSamples
from training.small.pairs import PairSamples
from training.small.san import SanSamples
from training.small.settings import VarietySettings


@pytest.fixture(scope="session")
def house() -> VariedHouse:
    return varied_house(np.random.default_rng((0, 0, 0)), VarietySettings(), 0.2, garden=False)


@pytest.fixture(scope="session")
def pairs() -> PairSamples:
    return DUST3R.chunk(0)


@pytest.fixture(scope="session")
def views() -> SanSamples:
    return SAN.chunk(0)


@pytest.fixture(scope="session")
def frames() -> IndoorSamples:
    return INDOOR.chunk(0)
