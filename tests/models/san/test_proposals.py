import pytest
import torch
from torch.nn import functional

from models.san.proposals import QUERIES_AT_ONCE, SanOutput, full_size_masks, semantic_map


def test_scores_are_sums_of_masks_weighted_by_class():
    probabilities = torch.tensor([[0.75, 0.25], [0.5, 0.0], [0.0, 1.0]])
    logits = torch.tensor([0.0, 100.0, -100.0])[:, None, None].expand(3, 2, 2)
    scores = semantic_map(probabilities, logits, (32, 32), (32, 32), (4, 4))
    # the first mask is half there, the second wholly, the third not
    assert torch.allclose(scores, torch.tensor([0.75 / 2 + 0.5, 0.25 / 2])[:, None, None].expand(2, 4, 4))


@pytest.mark.parametrize("count", [1, QUERIES_AT_ONCE, QUERIES_AT_ONCE + 1, 3 * QUERIES_AT_ONCE - 1])
def test_however_many_queries_there_are_each_counts_once(count: int):
    probabilities, logits = torch.rand(count, 4), torch.randn(count, 3, 4)
    sizes = (48, 64), (48, 64), (48, 64)
    expected = torch.einsum("qc,qhw->chw", probabilities, full_size_masks(logits, *sizes).sigmoid())
    assert torch.allclose(semantic_map(probabilities, logits, *sizes), expected, atol=1e-5)


def test_masks_are_cut_to_the_picture_before_they_are_resized():
    logits = torch.zeros(1, 4, 6)
    logits[:, 2:], logits[:, :, 4:] = 50, 50
    found = full_size_masks(logits, (64, 96), (32, 64), (10, 20))
    # of the padding nothing is seen but where the border is interpolated
    assert (found[:, :7, :17] == 0).all()
    ramp = torch.arange(6.0).expand(1, 4, 6)
    assert torch.allclose(full_size_masks(ramp, (64, 96), (64, 48), (4, 3))[0, 0], torch.tensor([0.0, 1, 2]), atol=0.51)


def test_a_ramp_of_logits_stays_one_at_any_size():
    ramp = torch.arange(8.0).expand(1, 4, 8)
    masks = full_size_masks(ramp, (64, 128), (64, 128), (8, 64))
    # a pixel of 64 is an eighth of a patch of 8; to the sides of the outer centres the border's value goes on
    middles = (torch.arange(64) + 0.5) / 8 - 0.5
    # interpolating twice rounds the corners at the outer centres by less than a tenth
    assert torch.allclose(masks[0, 3], middles.clamp(0, 7), atol=0.1)


def test_an_answer_of_a_batch_reads_each_picture_at_its_own_size():
    class_logits, mask_logits = torch.randn(2, 5, 4), torch.randn(2, 5, 4, 6)
    sizes = ((64, 96), (40, 70))
    output = SanOutput(mask_logits, torch.zeros(2, 1, 5, 4, 6), torch.zeros(2, 5, 8), (64, 96), sizes, class_logits)
    both = output.semantic_map(20, 30)
    assert both.shape == (2, 3, 20, 30), "the last column is background and no class"
    for row, size in enumerate(sizes):
        probabilities = class_logits[row].softmax(dim=-1)[:, :-1]
        assert torch.allclose(both[row], semantic_map(probabilities, mask_logits[row], (64, 96), size, (20, 30)))


def test_more_background_leaves_less_for_classes():
    mask_logits = torch.randn(1, 5, 4, 6)
    maps = []
    for background in (-100.0, 0.0, 100.0):
        logits = torch.cat([torch.zeros(1, 5, 2), torch.full((1, 5, 1), background)], dim=-1)
        answer = SanOutput(mask_logits, torch.zeros(0), torch.zeros(0), (64, 96), ((64, 96),), logits)
        maps.append(answer.semantic_map(8, 12))
    whole = functional.interpolate(mask_logits, (64, 96), mode="bilinear")
    total = functional.interpolate(whole, (8, 12), mode="bilinear").sigmoid().sum(dim=1)
    for found, share in zip(maps, (1 / 2, 1 / 3, 0), strict=True):
        assert torch.allclose(found, share * total[:, None].expand(1, 2, 8, 12), atol=1e-5)
