import pytest
import torch
from torch import nn

from models.san.decoder import MaskDecoder, Perceptron
from tests.models.san.networks import SLIM, slim_san


@pytest.fixture(scope="module")
def decoder() -> MaskDecoder:
    return slim_san().side_adapter_network.mask_decoder


def test_masks_and_biases_are_inner_products_pixel_by_pixel(decoder: MaskDecoder):
    queries, patches = torch.randn(2, 6, 24), torch.randn(2, 24, 3, 4)
    masks, bias = (answer.detach() for answer in decoder(queries, patches))
    assert masks.shape == (2, 6, 3, 4)
    assert bias.shape == (2, 2, 6, 3, 4)
    vectors, pixels, heads = decoder.query_mlp(queries), decoder.pix_mlp(patches), decoder.attn_mlp(patches)
    scale, offset = decoder.bias_scaling.weight.item(), decoder.bias_scaling.bias.item()
    for picture, query, row, column in ((0, 0, 0, 0), (1, 5, 2, 3), (1, 2, 1, 0)):
        vector = vectors[picture, query]
        assert masks[picture, query, row, column] == pytest.approx(
            float(vector @ pixels[picture, :, row, column]), abs=1e-5
        )
        for head in range(2):
            product = vector @ heads[picture, 16 * head : 16 * head + 16, row, column]
            assert bias[picture, head, query, row, column] == pytest.approx(float(product) * scale + offset, abs=1e-5)


def test_queries_and_pixels_are_sets(decoder: MaskDecoder):
    queries, patches, order = torch.randn(1, 6, 24), torch.randn(1, 24, 3, 4), torch.randperm(6)
    masks, bias = decoder(queries, patches)
    shuffled = decoder(queries[:, order], patches.flip(3))
    assert torch.allclose(shuffled[0], masks[:, order].flip(3), atol=1e-6)
    assert torch.allclose(shuffled[1], bias[:, :, order].flip(4), atol=1e-6)


def test_a_query_of_nothing_sees_the_offset_alone(decoder: MaskDecoder):
    silent = MaskDecoder(SLIM)
    silent.load_state_dict(decoder.state_dict())
    for parameter in silent.query_mlp.layers[-1].parameters():
        nn.init.zeros_(parameter)
    masks, bias = silent(torch.randn(1, 6, 24), torch.randn(1, 24, 2, 2))
    assert (masks == 0).all()
    assert (bias == silent.bias_scaling.bias).all()


def test_a_perceptron_has_relus_between_its_layers_and_none_at_the_end():
    network = Perceptron(nn.Linear, (3, 5, 4, 2))
    x = torch.randn(10, 3)
    first, second, last = network.layers
    nn.init.constant_(last.bias, -9)
    hidden = second(first(x).clamp(min=0)).clamp(min=0)
    assert torch.allclose(network(x), last(hidden))
    assert (network(x) < 0).all()
