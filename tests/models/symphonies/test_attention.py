import math

import pytest
import torch
from torch import Tensor, nn

from models.symphonies.attention import AttentionLayer, DeformableAttention, DeformableLayer, feed_forward


def plain_reader(channels: int, heads: int, levels: int, points: int) -> DeformableAttention:
    """Attention that gives back what it reads: no projection, no offsets, equal weights."""
    attention = DeformableAttention(channels, heads, levels, points, dropout=0.0)
    for linear in (attention.value_proj, attention.output_proj):
        nn.init.eye_(linear.weight)
    nn.init.zeros_(attention.sampling_offsets.bias)
    return attention


def bilinear(values: Tensor, place: Tensor) -> Tensor:
    x, y = (float(v) for v in place)
    total = torch.zeros(values.shape[-1])
    for row in (int(y // 1), int(y // 1) + 1):
        for column in (int(x // 1), int(x // 1) + 1):
            if 0 <= row < values.shape[0] and 0 <= column < values.shape[1]:
                total = total + (1 - abs(y - row)) * (1 - abs(x - column)) * values[row, column]
    return total


def test_deformable_attention_is_bilinear_reading_at_learned_places():
    attention = DeformableAttention(8, heads=2, levels=2, points=3, dropout=0.0)
    nn.init.normal_(attention.sampling_offsets.weight, std=0.3)
    nn.init.normal_(attention.attention_weights.weight)
    query, maps = torch.randn(1, 4, 8), [torch.randn(1, 8, 5, 7), torch.randn(1, 8, 3, 4)]
    reference = torch.rand(1, 4, 2, 2)
    found = attention(query, None, reference, maps)
    offsets = attention.sampling_offsets(query).view(4, 2, 2, 3, 2)
    weights = attention.attention_weights(query).view(4, 2, 6).softmax(-1).view(4, 2, 2, 3)
    for row in range(4):
        heads = []
        for head in range(2):
            total = torch.zeros(4)
            for level, values in enumerate(maps):
                projected = attention.value_proj(values[0].permute(1, 2, 0))[..., 4 * head : 4 * head + 4]
                for point in range(3):
                    size = torch.tensor([values.shape[3], values.shape[2]])
                    place = reference[0, row, level] * size + offsets[row, head, level, point] - 0.5
                    total = total + weights[row, head, level, point] * bilinear(projected, place)
            heads.append(total)
        expected = attention.output_proj(torch.cat(heads)) + query[0, row]
        assert torch.allclose(found[0, row], expected, atol=1e-5)


def test_a_reference_at_a_pixels_centre_reads_that_pixel():
    attention, maps = plain_reader(4, heads=2, levels=1, points=3), torch.randn(1, 4, 5, 7)
    rows, columns = torch.meshgrid(torch.arange(5), torch.arange(7), indexing="ij")
    reference = torch.stack([(columns + 0.5) / 7, (rows + 0.5) / 5], dim=-1).reshape(1, 35, 1, 2)
    read = attention(torch.zeros(1, 35, 4), None, reference, [maps])
    assert torch.allclose(read, maps.flatten(2).mT, atol=1e-5)


def test_levels_are_averaged_and_one_reference_serves_them_all():
    attention = plain_reader(4, heads=2, levels=3, points=2)
    maps = [torch.full((1, 4, *size), value) for size, value in (((8, 8), 1.0), ((4, 4), 2.0), ((2, 2), 6.0))]
    read = attention(torch.zeros(1, 1, 4), None, torch.full((1, 1, 1, 2), 0.5), maps)
    assert torch.allclose(read, torch.full((1, 1, 4), 3.0))


def test_outside_a_map_there_is_nothing_to_read():
    attention = plain_reader(4, heads=1, levels=1, points=1)
    reference = torch.tensor([[-0.5, 0.5], [1.5, 0.5], [0.0, 0.5]]).reshape(1, 3, 1, 2)
    read = attention(torch.zeros(1, 3, 4), None, reference, [torch.ones(1, 4, 6, 6)])
    # on the very border half of what is interpolated lies outside
    assert torch.allclose(read[0, :, 0], torch.tensor([0.0, 0.0, 0.5]))


def test_at_first_each_head_looks_its_own_way_a_step_further_at_each_point():
    attention = DeformableAttention(8, heads=4, levels=2, points=3, dropout=0.0)
    offsets = attention.sampling_offsets.bias.detach().view(4, 2, 3, 2)
    for head, way in enumerate(([1, 0], [0, 1], [-1, 0], [0, -1])):
        for point in range(3):
            expected = torch.tensor(way).float().expand(2, 2) * (point + 1)
            assert torch.allclose(offsets[head, :, point], expected, atol=1e-6)
    weights = attention.attention_weights(torch.randn(5, 8)).view(5, 4, 6).softmax(dim=-1)
    assert torch.allclose(weights, torch.full_like(weights, 1 / 6))


def test_positions_steer_where_is_read_but_are_not_read_themselves():
    attention = DeformableAttention(8, heads=2, levels=1, points=2, dropout=0.0)
    query, maps, reference = torch.randn(1, 3, 8), [torch.randn(1, 8, 6, 6)], torch.rand(1, 3, 1, 2)
    position = torch.randn(1, 3, 8)
    assert torch.equal(attention(query, position, reference, maps), attention(query, None, reference, maps))
    nn.init.normal_(attention.sampling_offsets.weight)
    steered = attention(query, position, reference, maps)
    assert not torch.allclose(steered, attention(query, None, reference, maps), atol=1e-3)
    apart = attention(query + position, None, reference, maps) - steered
    assert torch.allclose(apart, position, atol=1e-5)


def test_queries_and_pictures_do_not_meet():
    attention = DeformableAttention(8, heads=2, levels=1, points=2, dropout=0.0)
    nn.init.normal_(attention.sampling_offsets.weight)
    query, reference, maps = torch.randn(2, 5, 8), torch.rand(2, 5, 1, 2), torch.randn(2, 8, 4, 6)
    together = attention(query, None, reference, [maps])
    alone = attention(query[1:, 3:4], None, reference[1:, 3:4], [maps[1:]])
    assert torch.allclose(together[1:, 3:4], alone, atol=1e-6)


def test_dropout_leaves_the_query_that_came_in_alone():
    attention = DeformableAttention(8, heads=2, levels=1, points=2, dropout=1.0).train()
    query = torch.randn(1, 5, 8)
    assert torch.equal(attention(query, None, torch.rand(1, 5, 1, 2), [torch.randn(1, 8, 4, 4)]), query)


@pytest.mark.parametrize("ratio", [0, 4])
def test_a_deformable_layer_reads_by_the_normed_query_and_keeps_its_own(ratio: int):
    layer = DeformableLayer(8, heads=2, levels=1, points=2, dropout=0.0, ratio=ratio)
    query, reference, maps = torch.randn(1, 3, 8), torch.rand(1, 3, 1, 2), [torch.randn(1, 8, 4, 4)]
    read = query + layer.attn(layer.norm1(query), None, reference, maps)
    expected = read if layer.feed_forward is None else read + layer.feed_forward(read)
    assert torch.equal(layer(query, None, reference, maps), expected)
    assert (layer.feed_forward is None) == (ratio == 0)


def test_plain_attention_is_that_of_the_formula():
    layer = AttentionLayer(8, heads=1, ratio=0)
    query, position = torch.randn(1, 3, 8), torch.randn(1, 3, 8)
    keys, key_position = torch.randn(1, 5, 8), torch.randn(1, 5, 8)
    weight, bias = layer.attn.in_proj_weight.chunk(3), layer.attn.in_proj_bias.chunk(3)
    inputs = (layer.norm1(query) + position, keys + key_position, keys)
    q, k, v = (nn.functional.linear(each, w, b) for each, w, b in zip(inputs, weight, bias, strict=True))
    expected = query + layer.attn.out_proj((q @ k.mT / math.sqrt(8)).softmax(dim=-1) @ v)
    assert torch.allclose(layer(query, position, keys, key_position), expected, atol=1e-5)


def test_keys_are_a_set():
    layer, order = AttentionLayer(8, heads=2, ratio=4).eval(), torch.randperm(5)
    query, position = torch.randn(2, 3, 8), torch.randn(2, 3, 8)
    keys, key_position = torch.randn(2, 5, 8), torch.randn(2, 5, 8)
    expected = layer(query, position, keys, key_position)
    assert torch.allclose(layer(query, position, keys[:, order], key_position[:, order]), expected, atol=1e-5)


def test_a_feed_forward_part_is_as_wide_as_asked_or_missing():
    assert feed_forward(8, 0) is None
    part = feed_forward(8, 3)
    assert part is not None
    norm, first, gelu, second = part
    x = torch.randn(2, 8)
    assert first.weight.shape == (24, 8)
    assert torch.equal(part(x), second(gelu(first(norm(x)))))
