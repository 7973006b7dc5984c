"""Three images in a row, without noise, as the alignment holds them."""

import pytest

from pipeline.stages.reconstruction.dust3r.alignment.observations import Observations
from tests.pipeline.analytic_pairs import Scene
from tests.pipeline.stages.reconstruction.dust3r.alignment.truths import chain, observed


@pytest.fixture(scope="module")
def scene() -> Scene:
    return chain(3)


@pytest.fixture(scope="module")
def seen(scene: Scene) -> Observations:
    return observed(scene)
