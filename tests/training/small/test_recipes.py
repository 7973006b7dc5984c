from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from models.dust3r import Dust3rConfig
from models.san import SmallSan
from pipeline.contract.classes import SemanticClass
from pipeline.contract.errors import SettingsError
from training.small.__main__ import RECIPES, app, recipe_of
from training.small.dust3r import Dust3rRecipe, depth_scores, fresh_network
from training.small.indoor import IndoorRecipe
from training.small.pairs import PairSamples, unproject
from training.small.san import SanRecipe, SanSamples
from training.small.settings import (
    Dust3rTrainingSettings,
    IndoorTrainingSettings,
    SanNetworkSettings,
    SanTrainingSettings,
    ViewpointSettings,
)

HOW = {"loop": {"steps": 2, "batch_size": 2, "learning_rate": 1e-3}, "chunks": {"steps": 1, "kept": 1}}
VIEWS = ViewpointSettings(width=64, height=48)
TINY = Dust3rConfig(
    enc_embed_dim=64, enc_depth=1, enc_num_heads=1, dec_embed_dim=64, dec_depth=1, dec_num_heads=1,
    head_type="linear", img_size=(48, 64), stem=(4, 4, 8), position_grid=(3, 4),
)  # fmt: skip
NETWORK = SanNetworkSettings(stem=(4, 8, 8, 16), tower_layers=1, recognition_layers=1, side_width=16, side_layers=1)

INDOOR = IndoorRecipe(IndoorTrainingSettings(**HOW, houses_a_chunk=1, views_a_house=4, texel=0.1))
SAN = SanRecipe(
    SanTrainingSettings(
        **HOW, network=NETWORK, height=40, width=56, houses_a_chunk=1, views_a_house=6, texel=0.1, viewpoints=VIEWS
    )
)
DUST3R = Dust3rRecipe(Dust3rTrainingSettings(**HOW, network=TINY, houses_a_chunk=1, walks_a_house=3, texel=0.1))


@pytest.fixture(scope="module")
def pairs() -> PairSamples:
    return DUST3R.chunk(0)


@pytest.fixture(scope="module")
def views() -> SanSamples:
    return SAN.chunk(0)


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def gradients_missing(network: nn.Module, loss: torch.Tensor) -> list[str]:
    loss.backward()
    return [name for name, value in network.named_parameters() if value.grad is None or not value.grad.isfinite().all()]


def test_chunks_are_functions_of_their_number(views: SanSamples):
    again, other = SAN.chunk(0), SAN.chunk(4)
    assert torch.equal(views.pictures, again.pictures)
    assert not torch.equal(views.pictures, other.pictures)


def test_the_indoor_loss_reaches_every_weight():
    samples, network = INDOOR.chunk(0), INDOOR.network()
    assert samples.pictures.shape == (9, 3, 72, 96)
    assert samples.indoor.tolist() == [1.0] * 4 + [0.0] * 5
    assert not gradients_missing(network, INDOOR.loss(network, samples, seeded()))


def test_the_san_loss_reaches_every_weight_and_falls(views: SanSamples):
    samples, network = views, SAN.network()
    assert set(samples.labels.unique().tolist()) <= {*range(1, 12), 255}
    optimiser = torch.optim.Adam(network.parameters(), 0.01)
    losses = []
    for _ in range(12):
        optimiser.zero_grad()
        loss = SAN.loss(network, samples, seeded())
        losses.append(float(loss.detach()))
        assert not gradients_missing(network, loss)
        optimiser.step()
    assert losses[-1] < 0.9 * losses[0]


def test_the_small_san_knows_every_word_of_the_vocabulary():
    network = SAN.network()
    assert isinstance(network, SmallSan)
    text = network.text(["sofa", "couch", "floor"])
    assert torch.equal(text[0], text[1])
    assert not torch.allclose(text[0], text[2])


def test_pixels_without_a_label_are_no_part_of_the_loss(views: SanSamples):
    network = SAN.network().eval()
    blank = SanSamples(views.pictures, torch.full_like(views.labels, SemanticClass.UNKNOWN))
    parts = SAN.settings.model_copy(update={"class_weight": 0.0})
    assert float(SanRecipe(parts).loss(network, blank, seeded()).detach()) == 0


def test_the_dust3r_loss_reaches_every_weight(pairs: PairSamples):
    network = DUST3R.network()
    # The mask token belongs to released checkpoints; no loss of this recipe reads it.
    assert gradients_missing(network, DUST3R.loss(network, pairs, seeded())) == ["mask_token"]


def test_points_of_both_views_lie_on_the_same_surfaces(pairs: PairSamples):
    first, second = pairs.pointmaps()
    projected = second.flatten(1, 2) @ pairs.intrinsics[:, 0].mT
    x, y = projected[..., 0] / projected[..., 2], projected[..., 1] / projected[..., 2]
    height, width = pairs.depth.shape[2:]
    inside = (projected[..., 2] > 0) & (x >= 0) & (x < width) & (y >= 0) & (y < height)
    assert (inside.float().mean(dim=1) > DUST3R.settings.pairs.overlap[0]).all()
    row, column = y.long().clamp(0, height - 1), x.long().clamp(0, width - 1)
    seen = torch.stack([first[i, row[i], column[i], 2] for i in range(len(pairs))])
    close = (seen - projected[..., 2]).abs() < 0.05 * seen
    # The rest is hidden from one of the views.
    assert close[inside].float().mean() > 0.75


def test_turning_a_pair_round_exchanges_its_views(pairs: PairSamples):
    turned = pairs.turned_round()
    assert torch.equal(turned.pictures[:, 0], pairs.pictures[:, 1])
    back = turned.turned_round()
    assert torch.allclose(back.second_to_first, pairs.second_to_first, atol=1e-5)


def test_the_scale_of_a_scene_does_not_matter(pairs: PairSamples):
    network = DUST3R.network().eval()
    larger = PairSamples(pairs.pictures, 3 * pairs.depth, pairs.intrinsics, pairs.second_to_first.clone())
    larger.second_to_first[:, :3, 3] *= 3
    losses = [float(DUST3R.loss(network, samples, seeded()).detach()) for samples in (pairs, larger)]
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)


def test_an_untrained_network_starts_with_points_straight_ahead():
    network = fresh_network(TINY).eval()
    one, _ = network(torch.zeros(1, 3, 48, 64), torch.zeros(1, 3, 48, 64))
    assert float(one.points[..., 2].detach().median()) == pytest.approx(1, abs=0.3)


def test_depth_is_scored_after_one_scale_a_pair():
    truth = torch.tensor(np.random.default_rng(0).uniform(1, 4, (3, 2, 8, 8)))
    scale = torch.tensor([0.5, 1.0, 7.0]).reshape(3, 1, 1, 1)
    assert depth_scores(scale * truth, truth)["AbsRel"] == pytest.approx(0, abs=1e-6)
    wrong = truth.clone()
    wrong[:, 1] *= 1.5
    assert depth_scores(wrong, truth)["AbsRel"] > 0.1


def test_unprojected_points_project_back():
    depth = torch.rand(1, 4, 6) + 1
    intrinsics = torch.tensor([[[5.0, 0, 3.2], [0, 5.0, 1.9], [0, 0, 1]]])
    points = unproject(depth, intrinsics)
    assert torch.equal(points[..., 2], depth)
    x = points[0, :, :, 0] / depth[0] * 5 + 3.2
    assert torch.allclose(x, torch.arange(6) + 0.5, atol=1e-5)


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_that_ship_can_be_read(name: str):
    recipe = recipe_of(name, values=["loop.steps=7"])
    assert recipe.name == name
    assert recipe.settings.loop.steps == 7
    assert sum(p.numel() for p in recipe.network().parameters()) < 40e6


@pytest.mark.parametrize("values", [["loop.steps=0"], ["loop.speed=3"], ["what"]])
def test_wrong_settings_are_named(values: list[str]):
    with pytest.raises(SettingsError, match=r"steps|speed|what"):
        recipe_of("indoor", values=values)


def test_settings_that_are_no_mapping_are_refused(tmp_path: Path):
    (tmp_path / "list.yaml").write_text("- steps")
    with pytest.raises(SettingsError, match="must be a mapping"):
        recipe_of("indoor", tmp_path / "list.yaml")


def test_there_is_no_other_recipe():
    done = CliRunner().invoke(app, ["gan"])
    assert done.exit_code == 1
    assert "dust3r, san, indoor" in done.output


def test_nothing_is_shipped_before_it_is_trained(tmp_path: Path):
    done = CliRunner().invoke(app, ["indoor", "--ship-now", "--folder", str(tmp_path)])
    assert done.exit_code == 1
    assert "train first" in done.output
    assert not list(tmp_path.glob("*.safetensors"))
