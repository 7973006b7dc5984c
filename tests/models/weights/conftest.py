from collections.abc import Iterator

import pytest

from tests.models.weights.server import WeightsServer, running


@pytest.fixture
def server() -> Iterator[WeightsServer]:
    with running() as started:
        yield started
