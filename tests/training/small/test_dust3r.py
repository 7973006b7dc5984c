"""Recipe dust3r: a loss that knows no scale, a beginning that is sane, and weights to begin with."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from pipeline.contract.errors import SettingsError
from pipeline.tours.views import Cameras
from tests.models.tiny_dust3r import STEMMED
from tests.training.small.tiny_recipes import DUST3R, gradients_missing, seeded
from training.small.dust3r import (
    Dust3rRecipe,
    begun_with,
    depth_scores,
    forget_confidence,
    fresh_network,
    predicted_depth,
)
from training.small.pairs import PairSamples


def test_the_dust3r_loss_reaches_every_weight(pairs: PairSamples):
    network = DUST3R.network()
    # The mask token belongs to released checkpoints; no loss of this recipe reads it.
    assert gradients_missing(network, DUST3R.loss(network, pairs, seeded())) == ["mask_token"]


def test_the_scale_of_a_scene_does_not_matter(pairs: PairSamples):
    network = DUST3R.network().eval()
    larger = PairSamples(pairs.pictures, 3 * pairs.depth, pairs.intrinsics, pairs.second_to_first.clone())
    larger.second_to_first[:, :3, 3] *= 3
    losses = [float(DUST3R.loss(network, samples, seeded()).detach()) for samples in (pairs, larger)]
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)


def test_an_untrained_network_starts_with_points_straight_ahead():
    network = fresh_network(STEMMED).eval()
    one, _ = network(torch.zeros(1, 3, 48, 64), torch.zeros(1, 3, 48, 64))
    assert float(one.points[..., 2].detach().median()) == pytest.approx(1, abs=0.3)


def test_depth_is_scored_after_one_scale_a_pair():
    truth = torch.tensor(np.random.default_rng(0).uniform(1, 4, (3, 2, 8, 8)))
    scale = torch.tensor([0.5, 1.0, 7.0]).reshape(3, 1, 1, 1)
    assert depth_scores(scale * truth, truth)["AbsRel"] == pytest.approx(0, abs=1e-6)
    wrong = truth.clone()
    wrong[:, 1] *= 1.5
    assert depth_scores(wrong, truth)["AbsRel"] > 0.1


def test_weights_of_a_network_with_other_sizes_are_no_beginning():
    with pytest.raises(SettingsError, match="other sizes than this recipe's"):
        begun_with(fresh_network(STEMMED), "dust3r_small")


def test_a_training_goes_on_from_weights_that_saw_pictures_of_another_size(tmp_path: Path):
    known = fresh_network(STEMMED)
    state = {name: value.detach().clone() for name, value in known.state_dict().items()}
    save_file(state, tmp_path / "known.safetensors", metadata={"format": "pt", "config": STEMMED.model_dump_json()})
    larger = fresh_network(STEMMED.model_copy(update={"img_size": (96, 128)}))
    begun_with(larger, str(tmp_path / "known.safetensors"))
    assert all(torch.equal(value, state[name]) for name, value in larger.state_dict().items())


def test_a_forgotten_confidence_is_two_everywhere_and_points_stay():
    torch.manual_seed(0)
    network = fresh_network(STEMMED).eval()
    for head in (network.downstream_head1, network.downstream_head2):
        torch.nn.init.normal_(head.proj.weight)
    pictures = torch.rand(1, 3, 48, 64, generator=seeded()), torch.rand(1, 3, 48, 64, generator=seeded())
    with torch.no_grad():
        before = network(*pictures)
        forget_confidence(network)
        after = network(*pictures)
    for old, new in zip(before, after, strict=True):
        assert torch.equal(old.points, new.points)
        assert not torch.allclose(old.confidence, torch.tensor(2.0))
        assert torch.allclose(new.confidence, torch.tensor(2.0))


def test_an_optical_axis_is_beside_the_middle_by_at_most_its_share():
    cameras = Cameras(torch.eye(3).repeat(200, 1, 1), torch.eye(4, dtype=torch.float64).repeat(200, 1, 1), 48, 64)
    moved = DUST3R._off_centre(np.random.default_rng(0), cameras).intrinsics
    shift = (moved - cameras.intrinsics)[:, :2, 2].abs()
    assert (shift.max(dim=0).values <= 0.08 * torch.tensor([64.0, 48.0])).all()
    assert (shift.max(dim=0).values > 0.07 * torch.tensor([64.0, 48.0])).all()
    assert torch.equal(moved[:, :2, :2], cameras.intrinsics[:, :2, :2])


def test_depth_is_predicted_for_both_views_each_as_the_first(pairs: PairSamples):
    network = DUST3R.network().eval()
    some = pairs.rows(slice(0, 2))
    with torch.no_grad():
        depth = predicted_depth(network, some)
        turned = predicted_depth(network, some.turned_round())
    assert depth.shape == some.depth.shape
    assert torch.allclose(depth, turned.flip(1), atol=1e-5), "the parts of the views are exchanged"


def test_walks_without_any_overlap_ask_for_wider_settings():
    apart = DUST3R.settings.pairs.model_copy(update={"overlap": (0.9999, 1.0)})
    few = DUST3R.settings.model_copy(update={"pairs": apart, "walks_a_house": 1})
    with pytest.raises(SettingsError, match="chunk 0 has no pair with an overlap of"):
        Dust3rRecipe(few).chunk(0)
