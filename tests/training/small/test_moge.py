"""Recipe moge: its loss reaches every weight, and its figures have the sign that they say."""

from types import SimpleNamespace

import pytest
import torch

from pipeline.contract.errors import SettingsError
from tests.training.small.tiny_recipes import MOGE, gradients_missing, seeded
from training.small.__main__ import recipe_of
from training.small.moge import DepthSamples, MogeRecipe, _halved, depth_scores


@pytest.fixture(scope="module")
def samples() -> DepthSamples:
    return MOGE.chunk(0)


def test_chunks_are_functions_of_their_number(samples: DepthSamples):
    assert torch.equal(samples.pictures, MOGE.chunk(0).pictures)
    assert samples.pictures.shape == (4, 3, 48, 64)
    assert samples.depth.shape == (4, 48, 64)
    assert ((samples.focal > 0.5) & (samples.focal < 2.5)).all()


def test_the_loss_reaches_every_weight_and_falls(samples: DepthSamples):
    network = MOGE.network().train()
    optimiser = torch.optim.Adam(network.parameters(), 0.002)
    losses = []
    for step in range(5):
        optimiser.zero_grad()
        loss = MOGE.loss(network, samples, seeded())
        losses.append(float(loss.detach()))
        missing = gradients_missing(network, loss)
        assert not missing or step == 0, missing
        optimiser.step()
    assert losses[-1] < 0.8 * losses[0]


@pytest.mark.parametrize("larger", [0.0, 0.1, -0.2])
def test_a_network_that_says_all_is_larger_has_that_bias_and_right_depth(samples: DepthSamples, larger: float):
    def look(_: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        log_depth = _halved(samples.depth, samples.focal, (24, 32))[1]
        mean = log_depth.mean(dim=(1, 2))
        maps = torch.stack([log_depth - mean[:, None, None], torch.ones_like(log_depth)], dim=1)
        of_picture = torch.stack([mean + larger, torch.full_like(mean, -2), samples.focal.log(), mean], dim=1)
        return maps, of_picture

    found = depth_scores(SimpleNamespace(look=look), samples)  # type: ignore[arg-type]
    assert found["AbsRel"] < 0.01
    assert found["bias"] == pytest.approx(larger, abs=0.005)
    assert found["scale"] == pytest.approx(abs(larger), abs=0.005)
    assert found["focal"] == pytest.approx(0, abs=1e-5)
    assert next(iter(found)) == "AbsRel", "the figure that matters comes first"


def test_a_training_goes_on_from_weights_of_its_own_sizes_and_no_others():
    begun = recipe_of("moge", values=["start=moge_small_wide"]).network().state_dict()
    again = recipe_of("moge", values=["start=moge_small_wide"]).network().state_dict()
    fresh = recipe_of("moge", values=["start=null"]).network().state_dict()
    assert all(torch.equal(begun[name], again[name]) for name in begun)
    assert not torch.equal(begun["maps_head.weight"], fresh["maps_head.weight"])
    with pytest.raises(SettingsError, match="moge_small_wide holds another network"):
        MogeRecipe(MOGE.settings.model_copy(update={"start": "moge_small_wide"})).network()
