import math

import pytest
import torch
from torch import Tensor, nn

from models.dust3r.blocks import Attention, CrossAttention, DecoderBlock, EncoderBlock
from models.rotary import Rotation

CPU = torch.device("cpu")
WIDTH, HEADS = 24, 3
GRID = (3, 4)


def rotation(rows: int = GRID[0], columns: int = GRID[1], head_dim: int = WIDTH // HEADS) -> Rotation:
    return Rotation.of_grid(rows, columns, head_dim, CPU)


def no_rotation(tokens: int) -> Rotation:
    return Rotation(torch.ones(tokens, WIDTH // HEADS), torch.zeros(tokens, WIDTH // HEADS))


def apart(one: Tensor, other: Tensor) -> float:
    return float((one - other).abs().max())


def test_a_position_turns_each_pair_of_channels_by_its_own_angle():
    rotated = rotation(5, 7, head_dim=8).apply(torch.eye(8)[:, None, None].expand(8, 1, 35, 8))
    row, column = 3, 6
    # the first half turns with the row: channels (0, 2) by row * 100^0, (1, 3) by row * 100^-0.5
    for first, second, angle in ((0, 2, row), (1, 3, row / 10), (4, 6, column), (5, 7, column / 10)):
        turned = rotated[first, 0, row * 7 + column]
        assert turned[first] == pytest.approx(math.cos(angle), abs=1e-6)
        assert turned[second] == pytest.approx(math.sin(angle), abs=1e-6)
        assert rotated[second, 0, row * 7 + column][first] == pytest.approx(-math.sin(angle), abs=1e-6)


def test_rotation_keeps_lengths_and_leaves_the_first_token_alone():
    heads = torch.randn(2, HEADS, 12, 8)
    rotated = rotation().apply(heads)
    assert torch.equal(rotated[:, :, 0], heads[:, :, 0])
    assert torch.allclose(rotated.norm(dim=-1), heads.norm(dim=-1), atol=1e-5)


def test_products_of_queries_and_keys_depend_on_how_far_apart_tokens_are_alone():
    turned = rotation(6, 6)
    query, key = (turned.apply(torch.randn(1, 1, 1, 8).expand(1, 1, 36, 8))[0, 0].reshape(6, 6, 8) for _ in range(2))
    for down, right in ((0, 0), (1, 0), (0, 2), (3, 1)):
        products = (query[: 6 - down, : 6 - right] * key[down:, right:]).sum(dim=-1)
        assert torch.allclose(products, products[0, 0].expand_as(products), atol=1e-5)
    assert apart((query[0, 0] * key[0, 1]).sum(), (query[0, 1] * key[0, 0]).sum()) > 1e-3, "left is not right"


def test_half_precision_goes_in_and_comes_out():
    assert rotation().apply(torch.randn(1, 1, 12, 8).bfloat16()).dtype == torch.bfloat16


def attend_by_loops(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Attention (L, C) of queries (L, C) to keys and values (K, C), head by head and token by token."""
    size = WIDTH // HEADS
    mixed = torch.zeros_like(query)
    for head in range(HEADS):
        part = slice(head * size, (head + 1) * size)
        for token in range(len(query)):
            weights = torch.stack([query[token, part] @ each / math.sqrt(size) for each in key[:, part]]).softmax(dim=0)
            mixed[token, part] = sum(weight * each for weight, each in zip(weights, value[:, part], strict=True))
    return mixed


def rotated_by_head(turned: Rotation, tokens: Tensor) -> Tensor:
    heads = tokens.reshape(1, len(tokens), HEADS, -1).transpose(1, 2)
    return turned.apply(heads).transpose(1, 2).reshape(tokens.shape)


def test_attention_is_that_of_the_formula():
    attention, tokens, turned = Attention(WIDTH, HEADS), torch.randn(1, 12, WIDTH), rotation()
    query, key, value = nn.functional.linear(tokens[0], attention.qkv.weight, attention.qkv.bias).split(WIDTH, dim=-1)
    mixed = attend_by_loops(rotated_by_head(turned, query), rotated_by_head(turned, key), value)
    assert apart(attention(tokens, turned)[0], attention.proj(mixed)) < 1e-5


def test_attention_to_another_view_is_that_of_the_formula_with_a_rotation_a_side():
    attention = CrossAttention(WIDTH, HEADS)
    tokens, other = torch.randn(1, 12, WIDTH), torch.randn(1, 10, WIDTH)
    own, others = rotation(), rotation(5, 2)
    mixed = attend_by_loops(
        rotated_by_head(own, attention.projq(tokens[0])),
        rotated_by_head(others, attention.projk(other[0])),
        attention.projv(other[0]),
    )
    assert apart(attention(tokens, other, own, others)[0], attention.proj(mixed)) < 1e-5


def test_without_positions_tokens_are_a_set():
    block, tokens, order = EncoderBlock(WIDTH, HEADS).eval(), torch.randn(2, 12, WIDTH), torch.randperm(12)
    unturned = no_rotation(12)
    assert apart(block(tokens[:, order], unturned), block(tokens, unturned)[:, order]) < 1e-5
    assert apart(block(tokens[:, order], rotation()), block(tokens, rotation())[:, order]) > 1e-2


def test_the_other_view_is_a_set_where_its_positions_go_along():
    attention, order = CrossAttention(WIDTH, HEADS), torch.randperm(12)
    tokens, other, turned = torch.randn(2, 12, WIDTH), torch.randn(2, 12, WIDTH), rotation()
    shuffled = Rotation(turned.cos[order], turned.sin[order])
    expected = attention(tokens, other, turned, turned)
    assert apart(attention(tokens, other[:, order], turned, shuffled), expected) < 1e-5


def test_attention_to_equal_tokens_gives_their_value():
    attention = CrossAttention(WIDTH, HEADS)
    one = torch.randn(1, 1, WIDTH)
    found = attention(torch.randn(1, 12, WIDTH), one.expand(1, 12, WIDTH), rotation(), rotation())
    assert apart(found, attention.proj(attention.projv(one)).expand(1, 12, WIDTH)) < 1e-5


def test_blocks_without_their_last_layers_pass_tokens_on():
    encoder, decoder = EncoderBlock(WIDTH, HEADS), DecoderBlock(WIDTH, HEADS)
    for layer in (encoder.attn.proj, encoder.mlp.fc2, decoder.attn.proj, decoder.cross_attn.proj, decoder.mlp.fc2):
        nn.init.zeros_(layer.weight)
        nn.init.zeros_(layer.bias)
    tokens, other, turned = torch.randn(2, 12, WIDTH), torch.randn(2, 12, WIDTH), rotation()
    assert torch.equal(encoder(tokens, turned), tokens)
    assert torch.equal(decoder.attend_other(decoder.attend_self(tokens, turned), other, turned, turned), tokens)


def test_pictures_and_pairs_of_a_batch_do_not_meet():
    encoder, decoder, turned = EncoderBlock(WIDTH, HEADS).eval(), DecoderBlock(WIDTH, HEADS).eval(), rotation()
    tokens, other = torch.randn(3, 12, WIDTH), torch.randn(3, 12, WIDTH)
    assert apart(encoder(tokens, turned)[1:2], encoder(tokens[1:2], turned)) < 1e-5
    together = decoder.attend_other(tokens, other, turned, turned)
    assert apart(together[1:2], decoder.attend_other(tokens[1:2], other[1:2], turned, turned)) < 1e-5
