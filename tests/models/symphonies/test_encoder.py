import math

import pytest
import torch
from torch import nn

from models.symphonies import PRESETS
from models.symphonies.encoder import (
    MaskDinoEncoder,
    PixelDecoder,
    ResNet50,
    SmallEncoder,
    _as_maps,
    _centres,
    image_encoder,
    normalised,
    sine_positions,
)
from tests.models.symphonies.shown import TINY


@pytest.fixture(scope="module")
def small() -> SmallEncoder:
    torch.manual_seed(0)
    return SmallEncoder(TINY).eval()


@pytest.fixture(scope="module")
def backbone() -> ResNet50:
    torch.manual_seed(0)
    return ResNet50(frozen_norm=True)


def test_a_configuration_names_its_encoder():
    assert isinstance(image_encoder(TINY), SmallEncoder)
    with torch.device("meta"):
        assert isinstance(image_encoder(PRESETS["paper"]), MaskDinoEncoder)


@pytest.mark.parametrize("size", [(48, 64), (120, 160), (50, 70)])
def test_the_small_encoder_gives_a_quarter_an_eighth_and_a_sixteenth(small: SmallEncoder, size: tuple[int, int]):
    maps = small(torch.rand(2, 3, *size))
    for map_, scale in zip(maps, (4, 8, 16), strict=True):
        assert map_.shape == (2, TINY.channels, -(-size[0] // scale), -(-size[1] // scale))


def test_pictures_of_a_batch_do_not_meet(small: SmallEncoder):
    rgb = torch.rand(3, 3, 48, 64)
    for together, alone in zip(small.train()(rgb), small(rgb[1:2]), strict=True):
        assert torch.allclose(together[1:2], alone, atol=1e-5), "also in training, by its group norms"


def test_finer_maps_hold_what_coarser_ones_saw(small: SmallEncoder):
    dark = torch.zeros(1, 3, 64, 64)
    lit = dark.clone()
    lit[..., 40:, 40:] = 1
    before, after = small(dark)[0], small(lit)[0]
    # the quarter map's own view ends within 15 pixels; the norms and the coarse maps carry light everywhere
    assert not torch.allclose(before[..., 0, 0], after[..., 0, 0], atol=1e-4)


def test_pictures_are_normalised_as_imagenet_is():
    grey = normalised(torch.tensor([0.485, 0.456, 0.406])[:, None, None].expand(1, 3, 2, 2))
    assert torch.allclose(grey, torch.zeros(1, 3, 2, 2), atol=1e-6)
    white = normalised(torch.ones(1, 3, 1, 1)).flatten()
    assert torch.allclose(white, torch.tensor([2.2489, 2.4286, 2.6400]), atol=1e-4)


def test_the_resnet_gives_four_maps_at_its_strides(backbone: ResNet50):
    with torch.no_grad():
        maps = backbone.eval()(torch.rand(1, 3, 64, 96))
    assert [tuple(map_.shape[1:]) for map_ in maps] == [(256, 16, 24), (512, 8, 12), (1024, 4, 6), (2048, 2, 3)]


def test_frozen_norms_keep_their_statistics_in_training_and_others_do_not(backbone: ResNet50):
    free = ResNet50(frozen_norm=False)
    for network, moves in ((backbone, False), (free, True)):
        network.train()
        norm = network.bn1
        before = norm.running_mean.clone()
        with torch.no_grad():
            network(torch.rand(1, 3, 64, 64))
        assert torch.equal(norm.running_mean, before) != moves
        assert norm.weight.requires_grad == moves
        assert network.conv1.weight.requires_grad
        assert network.layer1.training


def test_sine_positions_are_detrs():
    height, width = 3, 5
    found = sine_positions((height, width)).reshape(height, width, 256)
    for row, column, channel in ((0, 0, 0), (2, 1, 6), (1, 4, 127), (0, 3, 128), (2, 2, 255)):
        place, side = (row, height) if channel < 128 else (column, width)
        angle = (place + 1) / (side + 1e-6) * 2 * math.pi / 10000 ** (2 * (channel % 128 // 2) / 128)
        expected = math.cos(angle) if channel % 2 else math.sin(angle)
        assert found[row, column, channel] == pytest.approx(expected, abs=1e-5)
    assert torch.equal(found[1, :, :128], found[1, :1, :128].expand(5, 128)), "a row has one encoding of y"


def test_references_are_the_centres_of_pixels_row_by_row():
    assert torch.allclose(_centres((1, 2)), torch.tensor([[0.25, 0.5], [0.75, 0.5]]))
    assert torch.allclose(_centres((2, 4))[5], torch.tensor([1.5 / 4, 1.5 / 2]))


def test_tokens_of_several_maps_find_back_to_them():
    sizes = [(2, 3), (1, 2)]
    maps = [torch.randn(2, 4, *size) for size in sizes]
    tokens = torch.cat([map_.flatten(2).mT for map_ in maps], dim=1)
    for found, map_ in zip(_as_maps(tokens, sizes, [6, 2]), maps, strict=True):
        assert torch.equal(found, map_)


def test_the_pixel_decoder_gives_maps_at_an_eighth_and_a_sixteenth_and_trains_nothing_unused():
    torch.manual_seed(0)
    decoder = PixelDecoder(layers=1)
    stages = [torch.randn(1, channels, 8 // s, 12 // s) for channels, s in ((512, 1), (1024, 2), (2048, 4))]
    eighth, sixteenth = decoder(stages)
    assert eighth.shape == (1, 256, 8, 12)
    assert sixteenth.shape == (1, 256, 4, 6)
    (eighth.square().mean() + sixteenth.square().mean()).backward()
    without = {name for name, value in decoder.named_parameters() if value.grad is None}
    assert without == {name for name, value in decoder.named_parameters() if not value.requires_grad}
    assert {name.split(".")[0] for name in without} == {"unused"}


def test_every_level_is_read_by_every_other():
    torch.manual_seed(0)
    decoder = PixelDecoder(layers=1).eval().requires_grad_(requires_grad=False)
    for layer in decoder.layers:
        nn.init.normal_(layer.self_attn.sampling_offsets.bias, std=2)
    stages = [torch.randn(1, channels, 8 // s, 12 // s) for channels, s in ((512, 1), (1024, 2), (2048, 4))]
    before = decoder(stages)
    for number in range(3):
        changed = [stage + torch.randn_like(stage) * (level == number) for level, stage in enumerate(stages)]
        for old, new in zip(before, decoder(changed), strict=True):
            assert not torch.allclose(old, new, atol=1e-3)
