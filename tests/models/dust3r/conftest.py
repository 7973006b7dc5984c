"""The small networks that are compared with upstream's outputs; no test may change them."""

import pytest

from models.dust3r import Dust3r
from tests.models.tiny_dust3r import DPT, LINEAR, build


@pytest.fixture(scope="module")
def linear() -> Dust3r:
    return build(LINEAR)


@pytest.fixture(scope="module")
def dpt() -> Dust3r:
    return build(DPT)
