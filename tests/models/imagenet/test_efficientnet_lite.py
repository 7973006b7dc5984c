from pathlib import Path

import numpy as np
import pytest
import torch

from models.errors import WrongWeights
from models.imagenet.efficientnet_lite import EfficientNetLite0, SameConv2d, preprocess, shipped_file
from models.imagenet.sides import Side, class_sides, log_ratio, worn
from models.weights.contents import checksum
from models.weights.licences import licence_of
from models.weights.registry import EFFICIENTNET_LITE0_SHA256 as SHA256


def test_the_weights_of_the_package_are_those_that_are_known_and_free_to_use():
    assert checksum(shipped_file()) == SHA256
    assert licence_of(shipped_file().name, SHA256).startswith("Apache-2.0")


def test_the_network_has_every_entry_of_the_file_and_as_many_parameters_as_published():
    network = EfficientNetLite0.load()
    assert sum(parameter.numel() for parameter in network.parameters()) == pytest.approx(4.7e6, rel=0.02)
    assert not network.training


def test_a_file_of_another_network_is_refused(tmp_path: Path):
    torch.save({"fc.weight": torch.zeros(2, 2)}, tmp_path / "other.pth")
    with pytest.raises(WrongWeights, match="does not fit"):
        EfficientNetLite0.load(tmp_path / "other.pth")


@pytest.mark.parametrize(("kernel", "stride", "first"), [(3, 2, 0), (5, 2, 1), (3, 1, 1), (5, 1, 2)])
def test_padding_is_tensorflows_same(kernel: int, stride: int, first: int):
    """On an even side, a stride of 2 puts the odd line at the end: the first output looks ``first`` lines beyond."""
    layer = SameConv2d(1, 1, kernel, stride, bias=False)
    with torch.no_grad():
        layer.weight.zero_()
        layer.weight[0, 0, first, first] = 1
        picture = torch.arange(64.0).view(1, 1, 8, 8)
        assert torch.equal(layer(picture), picture[:, :, ::stride, ::stride])


def test_pictures_are_squeezed_and_scaled_as_in_training():
    grey = torch.full((1, 3, 480, 640), 255, dtype=torch.uint8)
    assert preprocess(grey).shape == (1, 3, 224, 224)
    assert torch.allclose(preprocess(grey), torch.tensor(1.0))


def test_each_class_has_one_side_and_sides_are_what_the_ratio_weighs():
    sides = class_sides()
    assert {sides[i][0] for i in (526, 831, 979, 916)} == {"desk", "studio couch", "valley", "web site"}
    of_side = {side: next(i for i, (_, found) in sides.items() if found is side) for side in Side}
    unlisted = next(i for i in range(1000) if i not in sides)
    shown = np.eye(1000)[[*(of_side[side] for side in Side), unlisted]]
    ratios = dict(zip([*Side, None], log_ratio(shown), strict=True))
    assert ratios[Side.HOUSEHOLD] > 9
    assert ratios[Side.OUTDOORS] == ratios[Side.DRAWN] == pytest.approx(-ratios[Side.HOUSEHOLD])
    assert ratios[Side.WORN] == ratios[None] == 0, "clothes, and what is not listed, say nothing of the place"
    assert worn(shown).tolist() == [side is Side.WORN for side in (*Side, None)]
