"""Recipe san: its losses against their formulas, and labels in the vocabulary's words."""

import pytest
import torch

from models.san import SmallSan
from pipeline.contract.classes import SemanticClass
from tests.training.small.tiny_recipes import SAN, gradients_missing, seeded
from training.small.san import (
    SanRecipe,
    SanSamples,
    _binary_loss,
    _class_loss,
    _dice_loss,
    _pixel_loss,
    label_scores,
)


def test_chunks_are_functions_of_their_number(views: SanSamples):
    again, other = SAN.chunk(0), SAN.chunk(4)
    assert torch.equal(views.pictures, again.pictures)
    assert not torch.equal(views.pictures, other.pictures)


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


def drawn_masks() -> tuple[torch.Tensor, torch.Tensor]:
    """Mask logits (2, 11, 3, 4) and labels (2, 3, 4) with a pixel of each picture unknown."""
    masks = torch.randn(2, 11, 3, 4, generator=seeded())
    truth = torch.randint(1, 12, (2, 3, 4), generator=seeded())
    truth[:, 0, 0] = SemanticClass.UNKNOWN
    return masks, truth


def one_hot_of(truth: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """A mask a class (n, 11, h, w), and which pixels are known (n, h, w)."""
    known = truth != SemanticClass.UNKNOWN
    one_hot = torch.nn.functional.one_hot(torch.where(known, truth - 1, 0), 11).movedim(-1, 1) * known[:, None]
    return one_hot.float(), known


def test_the_pixel_loss_is_the_mean_cross_entropy_of_known_pixels():
    masks, truth = drawn_masks()
    terms = [
        -masks[n].log_softmax(dim=0)[truth[n, y, x] - 1, y, x]
        for n in range(2)
        for y in range(3)
        for x in range(4)
        if truth[n, y, x] != SemanticClass.UNKNOWN
    ]
    assert float(_pixel_loss(masks, truth)) == pytest.approx(float(torch.stack(terms).mean()), rel=1e-5)


def test_the_dice_loss_is_nothing_for_the_truth_and_only_counts_classes_that_are_there():
    one_hot, known = one_hot_of(drawn_masks()[1])
    present = one_hot.flatten(2).any(dim=2)
    right = (2 * one_hot - 1) * 40
    assert float(_dice_loss(right, one_hot, known, present)) == pytest.approx(0, abs=1e-6)
    lying = torch.where(present[:, :, None, None], right, torch.full_like(right, 40))
    assert float(_dice_loss(lying, one_hot, known, present)) == pytest.approx(0, abs=1e-6)
    assert float(_dice_loss(-right, one_hot, known, present)) > 0.4


def test_masks_of_unknown_pixels_cost_nothing():
    masks, truth = drawn_masks()
    one_hot, known = one_hot_of(truth)
    masks.requires_grad_()
    _binary_loss(masks, one_hot, known).backward()
    assert torch.equal(masks.grad.abs().sum(dim=1) > 0, known)


def test_a_class_that_is_absent_should_be_called_nothing():
    logits = torch.full((1, 11, 12), -20.0)
    present = torch.zeros(1, 11, dtype=torch.bool)
    present[0, :3] = True
    logits[0, torch.arange(3), torch.arange(3)] = 20
    logits[0, 3:, 11] = 20
    weight = torch.where(present, 1.0, 0.2)
    assert float(_class_loss(logits, present, weight)) == pytest.approx(0, abs=1e-6)
    assert float(_class_loss(logits.roll(1, dims=2), present, weight)) > 20


def test_pictures_and_labels_are_cut_and_mirrored_together(views: SanSamples):
    plain = SAN.settings.augment.model_copy(update=dict.fromkeys(("brightness", "contrast", "colour", "noise"), 0.0))
    plain = plain.model_copy(update={"blur": 0.0, "jpeg": 0.0})
    recipe = SanRecipe(SAN.settings.model_copy(update={"augment": plain}))
    labels = views.labels
    marked = SanSamples(labels[:, None].expand(-1, 3, -1, -1).contiguous(), labels)
    pictures, cut = recipe._changed(marked, seeded())
    assert cut.shape == (len(labels), SAN.settings.height, SAN.settings.width)
    assert set(cut.unique().tolist()) <= set(labels.unique().tolist())
    inside = (pictures[:, 0] - cut).abs() < 0.5
    assert inside.float().mean() > 0.8, "all but the borders between classes, which pictures blend"


def test_a_finished_network_labels_pictures_with_the_eleven_classes(views: SanSamples):
    network = SAN.network().eval()
    with torch.no_grad():
        scores = label_scores(network, views)
    assert set(scores) == {"mIoU", "pixels right"}
    assert all(0 <= value <= 1 for value in scores.values())
    assert next(iter(scores)) == "mIoU", "the figure that matters comes first"
