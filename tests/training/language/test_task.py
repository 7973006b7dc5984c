"""What voxels are taught, and both losses of the language head."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.symphonies.language import LanguageHead
from tests.training.spoken_room import class_vectors
from training.checkpoints import new_network
from training.language.embeddings import SpokenFrames, collate_spoken
from training.language.task import LanguageTask, balanced, occupancy_losses, taught_voxels
from training.settings import Balance, LanguageSettings


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(-1, 4), st.integers(0, 3)), min_size=1, max_size=40))
def test_a_voxel_is_taught_the_mean_over_its_pixels_and_every_region_counts_alike(pixels: list[tuple[int, int]]):
    embeddings = torch.randn(3, 5, generator=torch.Generator().manual_seed(0))
    voxels, regions = (torch.tensor(column)[None] for column in zip(*pixels, strict=True))
    votes = {v: [r for voxel, r in pixels if voxel == v and r > 0] for v, r in pixels if v >= 0 and r > 0}
    taught = taught_voxels(voxels, regions, embeddings)
    assert taught.voxels.tolist() == sorted(votes)
    share = {(v, r): voted.count(r) / len(voted) for v, voted in votes.items() for r in set(voted)}
    size = {r: sum(s for (_, other), s in share.items() if other == r) for _, r in share}
    for voxel, target, weight in zip(*(part.tolist() for part in taught), strict=True):
        mean = torch.stack([embeddings[r - 1] for r in votes[voxel]]).mean(dim=0)
        assert target == pytest.approx(mean.tolist(), abs=1e-6)
        alike = sum(share[voxel, r] / size[r] for r in set(votes[voxel])) / len(size)
        assert weight == pytest.approx(alike, abs=1e-6)
    assert not votes or float(taught.weights.sum()) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(("balance", "large", "small"), [("voxels", 1, 1), ("roots", 1, 3), ("regions", 1, 9)])
def test_voxels_of_a_small_region_weigh_as_the_balance_says(balance: Balance, large: int, small: int):
    alike = torch.tensor([1 / 18] * 9 + [1 / 2])
    weights = balanced(alike, balance)
    assert float(weights.sum()) == pytest.approx(1)
    assert (weights[-1] / weights[0]).item() == pytest.approx(small / large)


def test_unknown_voxels_give_no_gradient_and_all_unknown_grids_no_loss():
    labels = torch.tensor([0, 3, 11, 255, 0])
    logits = torch.randn(2, 5, requires_grad=True)
    sum(occupancy_losses(logits, labels).values()).backward()
    assert (logits.grad.abs().sum(dim=0) > 0).tolist() == [True, True, True, False, True]
    blank = occupancy_losses(logits, torch.full((5,), 255))
    assert [float(value.detach()) for value in blank.values()] == [0, 0]


@pytest.mark.parametrize("kind", ["cosine", "regression"])
def test_only_voxels_that_pixels_land_in_teach_the_language_head(room: SpokenFrames, kind: str):
    torch.manual_seed(0)
    task = LanguageTask(new_network("small", 2, room.width), LanguageSettings(language_loss=kind))
    items = [room[0]]
    before = task(collate_spoken(items))["language"]
    before.backward()
    assert all(p.grad.abs().sum() > 0 for p in task.network.language_head.parameters())
    assert task.network.head.weight.grad is None
    mute = replace(items[0][0], regions=np.zeros_like(items[0][0].regions))
    assert float(task(collate_spoken([(mute, items[0][1])]))["language"].detach()) == 0


@pytest.mark.parametrize(("kind", "worst"), [("cosine", 2.0), ("regression", 4.0)])
def test_the_language_loss_is_nothing_for_the_truth_and_greatest_for_its_opposite(
    room: SpokenFrames, kind: str, worst: float
):
    class Saying(LanguageHead):
        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            return self.said.expand(len(rows), -1)

    task = LanguageTask(new_network("small", 2, room.width), LanguageSettings(language_loss=kind))
    task.network.language_head = head = Saying(8, room.width)
    sample, embeddings = room[0]
    ceiling = torch.tensor(class_vectors()[:1])
    batch = collate_spoken([(sample, ceiling.expand(len(embeddings), -1))])
    for head.said, expected in ((ceiling, 0), (-ceiling, worst)):
        assert float(task(batch)["language"]) == pytest.approx(expected, abs=1e-3)


def test_a_network_without_a_language_head_stays_what_it_was():
    plain, speaking = new_network("small", 12), new_network("small", 2, 64)
    assert {name for name in speaking.state_dict() if name not in plain.state_dict()} == {
        f"language_head.layers.{layer}.{part}" for layer in (0, 2) for part in ("weight", "bias")
    }
    assert plain.language_head is None
