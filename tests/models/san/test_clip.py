import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.san.clip import ClipBlock, ClipExtractor, ClipMap, PackedAttention, QuickGeluMlp, RecognitionHead
from tests.models.san.networks import SLIM, slim_san

WIDTH, HEADS, QUERIES, GRID = 64, 2, 6, (3, 4)


@pytest.fixture(scope="module")
def head() -> RecognitionHead:
    return slim_san().clip_rec_head


@pytest.fixture(scope="module")
def extractor() -> ClipExtractor:
    return slim_san().clip_visual_extractor


def last_map(batch: int = 2) -> ClipMap:
    return ClipMap(torch.randn(batch, 1, WIDTH), torch.randn(batch, WIDTH, *GRID))


def test_tokens_are_the_class_token_and_the_patches_row_by_row():
    tokens = ClipMap(torch.full((1, 1, 2), -1.0), torch.arange(12.0).view(1, 1, 3, 4).expand(1, 2, 3, 4)).tokens
    assert tokens[0, :, 1].tolist() == [-1, *range(12)]


def test_packed_attention_is_that_of_pytorch():
    ours, theirs = PackedAttention(WIDTH, HEADS), nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
    nn.init.normal_(ours.in_proj_bias)
    theirs.load_state_dict(ours.state_dict())
    tokens = torch.randn(2, 7, WIDTH)
    later = torch.ones(7, 7, dtype=torch.bool).triu(1)
    for causal, mask in ((False, None), (True, later)):
        expected = theirs(tokens, tokens, tokens, attn_mask=mask, need_weights=False)[0]
        assert torch.allclose(ours(tokens, causal=causal), expected, atol=1e-5)


def test_causal_tokens_know_nothing_of_what_follows():
    block, tokens = ClipBlock(WIDTH, HEADS), torch.randn(1, 7, WIDTH)
    changed = tokens.clone()
    changed[:, 4:] += torch.randn(1, 3, WIDTH)
    before, after = block(tokens, causal=True), block(changed, causal=True)
    assert torch.allclose(before[:, :4], after[:, :4], atol=1e-6)
    assert not torch.allclose(block(tokens)[:, :4], block(changed)[:, :4], atol=1e-3)


def test_without_a_mask_tokens_are_a_set():
    block, tokens, order = ClipBlock(WIDTH, HEADS), torch.randn(2, 7, WIDTH), torch.randperm(7)
    assert torch.allclose(block(tokens[:, order]), block(tokens)[:, order], atol=1e-5)


def test_the_gelu_is_openais_quick_one():
    mlp = QuickGeluMlp(1)
    with torch.no_grad():
        mlp.c_fc.weight.copy_(torch.tensor([[1.0], [0], [0], [0]]))
        mlp.c_proj.weight.fill_(1)
        mlp.c_fc.bias.zero_()
        mlp.c_proj.bias.zero_()
    x = torch.linspace(-4, 4, 9)[:, None]
    assert torch.allclose(mlp(x), x / (1 + torch.exp(-1.702 * x)), atol=1e-6)


def test_recognition_equals_one_dense_masked_attention(head: RecognitionHead):
    last, bias = last_map(), torch.randn(2, HEADS, QUERIES, 6, 8)
    expected = recognise_densely(head, last, functional.adaptive_max_pool2d(bias.flatten(0, 1), GRID))
    # the dense form hides tokens with -100, whose weight is below float32's resolution
    assert torch.allclose(head(last, bias), expected, atol=1e-5)


def test_a_region_does_not_depend_on_the_other_regions(head: RecognitionHead):
    last, bias = last_map(), torch.randn(2, HEADS, QUERIES, *GRID)
    before = head(last, bias)
    changed = bias.clone()
    changed[:, :, 2] += torch.randn(GRID)
    after = head(last, changed)
    others = [row for row in range(QUERIES) if row != 2]
    assert torch.allclose(before[:, others], after[:, others], atol=1e-6)
    assert not torch.allclose(before[:, 2], after[:, 2], atol=1e-3)
    order = torch.randperm(QUERIES)
    assert torch.allclose(head(last, bias[:, :, order]), before[:, order], atol=1e-6)


def test_regions_that_attend_alike_are_alike_and_a_constant_changes_only_how_much_they_see(head: RecognitionHead):
    last = last_map(1)
    found = head(last, torch.zeros(1, HEADS, QUERIES, *GRID))
    assert torch.allclose(found, found[:, :1].expand_as(found), atol=1e-6)
    blind = head(last, torch.full((1, HEADS, QUERIES, *GRID), -1e4))
    elsewhere = ClipMap(last.class_token, torch.randn_like(last.patches))
    assert torch.allclose(blind, head(elsewhere, torch.full((1, HEADS, QUERIES, *GRID), -1e4)), atol=1e-6)


def test_a_region_sees_the_patches_under_its_bias_alone(head: RecognitionHead):
    last, bias = last_map(1), torch.full((1, HEADS, QUERIES, *GRID), -1e4)
    bias[:, :, :, 1, 2] = 20
    one_block = RecognitionHead(SLIM)
    one_block.load_state_dict(head.state_dict())
    one_block.resblocks = one_block.resblocks[:1]
    before = one_block(last, bias)
    changed = ClipMap(last.class_token, last.patches.clone())
    changed.patches[:, :, 0, 0] += 5
    assert torch.allclose(one_block(changed, bias), before, atol=1e-6)
    changed.patches[:, :, 1, 2] += torch.randn(WIDTH)
    assert not torch.allclose(one_block(changed, bias), before, atol=1e-3)


def test_embeddings_are_unit_vectors(head: RecognitionHead):
    found = head(last_map(), torch.randn(2, HEADS, QUERIES, *GRID))
    assert found.shape == (2, QUERIES, SLIM.embedding)
    assert torch.allclose(found.norm(dim=-1), torch.ones(2, QUERIES), atol=1e-6)


def test_the_first_map_is_the_normed_sum_of_patches_and_positions(extractor: ClipExtractor):
    images = torch.randn(1, 3, 224, 224)
    first = extractor(images)[0].tokens
    patches = extractor.conv1(images).flatten(2).transpose(1, 2)
    class_token = extractor.class_embedding.expand(1, 1, -1)
    expected = extractor.ln_pre(torch.cat([class_token, patches], dim=1) + extractor.positional_embedding)
    assert torch.allclose(first, expected, atol=1e-5)


def test_there_is_a_map_before_the_blocks_and_one_after_each(extractor: ClipExtractor):
    maps = extractor(torch.randn(2, 3, 48, 80))
    assert len(maps) == 1 + SLIM.clip_layers
    assert {tuple(one.patches.shape) for one in maps} == {(2, WIDTH, 3, 5)}
    for block, before, after in zip(extractor.resblocks, maps, maps[1:], strict=False):
        assert torch.allclose(block(before.tokens), after.tokens, atol=1e-6)


def recognise_densely(head: nn.Module, last: ClipMap, pooled: Tensor) -> Tensor:
    """Run recognition as section 3.3 of the paper draws it: all tokens under one additive mask."""
    count, patches = pooled.shape[1], pooled.shape[2] * pooled.shape[3]
    mask = torch.zeros(len(pooled), count + 1 + patches, count + 1 + patches)
    mask[:, :, :count] = -100
    mask[:, torch.arange(count), torch.arange(count)] = 0
    mask[:, :count, count] = -100
    mask[:, :count, count + 1 :] = pooled.flatten(2)
    tokens = torch.cat([last.class_token.expand(-1, count, -1), last.tokens], dim=1)
    for block in head.resblocks:
        attention = nn.MultiheadAttention(64, block.attn.heads, batch_first=True)
        attention.load_state_dict(block.attn.state_dict())
        normed = block.ln_1(tokens)
        tokens = tokens + attention(normed, normed, normed, attn_mask=mask, need_weights=False)[0]
        tokens = tokens + block.mlp(block.ln_2(tokens))
    return functional.normalize(head.ln_post(tokens[:, :count]) @ head.proj, dim=-1)
