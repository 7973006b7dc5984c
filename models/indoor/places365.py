"""Places365 (Zhou et al., TPAMI 2018): which of 365 kinds of scene a picture shows, and whether that is indoors.

A ResNet (He et al., CVPR 2016) in plain PyTorch with the names of the official checkpoints
``resnet18_places365.pth.tar`` and ``resnet50_places365.pth.tar``. Weights: CC BY, credit the paper.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.errors import WrongWeights
from models.weights.checkpoint import count_numbered, load_strictly
from models.weights.families import PLACES365
from models.weights.located import state_of_family, with_checksum

RESIZED_SIDE = 256
CROPPED_SIDE = 224
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Places365Category:
    """One of the 365 categories, with the official indoor flag."""

    name: str
    indoor: bool


@cache
def scene_categories() -> tuple[Places365Category, ...]:
    """Return the 365 categories in the order of the network's outputs (categories and flags: Places365 authors)."""
    rows = csv.DictReader((files("models.indoor") / "places365_categories.csv").read_text().splitlines())
    return tuple(Places365Category(row["category"], row["indoor"] == "1") for row in rows)


class Places365(nn.Module):
    """ResNet-18 or ResNet-50 over the 365 categories: normalised images (B, 3, 224, 224) to logits (B, 365)."""

    def __init__(self, depth: int) -> None:
        super().__init__()
        block, counts = _ARCHITECTURES[depth]
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = _stage(block, 64, 64, counts[0], stride=1)
        self.layer2 = _stage(block, 64 * block.expansion, 128, counts[1], stride=2)
        self.layer3 = _stage(block, 128 * block.expansion, 256, counts[2], stride=2)
        self.layer4 = _stage(block, 256 * block.expansion, 512, counts[3], stride=2)
        self.fc = nn.Linear(512 * block.expansion, len(scene_categories()))

    @classmethod
    def load(cls, path: Path) -> "Places365":
        """Load an official checkpoint, in evaluation mode; the depth is told from the names it holds.

        Raises:
            WrongWeights: the file is broken or is no Places365 ResNet-18 or ResNet-50.
        """
        with with_checksum(path):
            state = state_of_family(path, PLACES365)
            depth = _depth(state, path.name)
            with torch.device("meta"):
                network = cls(depth)
            load_strictly(network, state, path.name)
        return network.eval()

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits (B, 365) of images (B, 3, 224, 224), normalised as ``preprocess`` does."""
        x = functional.relu(self.bn1(self.conv1(images)))
        x = functional.max_pool2d(x, 3, stride=2, padding=1)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean(dim=(2, 3)))  # type: ignore[no-any-return]

    @torch.inference_mode()
    def probabilities(self, rgb: Tensor) -> Tensor:
        """Return the probability (B, 365) of each category for pictures (B, 3, h, w), RGB in 0..255, any size."""
        return self(preprocess(rgb.to(self.fc.weight.device))).softmax(dim=-1)  # type: ignore[no-any-return]


def preprocess(rgb: Tensor) -> Tensor:
    """Prepare pictures (B, 3, h, w) as in training: squeeze to 256x256, cut out the middle 224x224, normalise."""
    size = (RESIZED_SIDE, RESIZED_SIDE)
    squeezed = functional.interpolate(rgb.float(), size, mode="bilinear", antialias=True).round().clamp(0, 255)
    first = (RESIZED_SIDE - CROPPED_SIDE) // 2
    middle = squeezed[:, :, first : first + CROPPED_SIDE, first : first + CROPPED_SIDE] / 255
    mean, std = (middle.new_tensor(numbers).view(3, 1, 1) for numbers in (IMAGENET_MEAN, IMAGENET_STD))
    return (middle - mean) / std


class BasicBlock(nn.Module):
    """Two 3x3 convolutions around a shortcut: the block of ResNet-18."""

    expansion = 1

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = _shortcut(inputs, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inputs, h, w) to (B, width, h / stride, w / stride)."""
        y = functional.relu(self.bn1(self.conv1(x)))
        return functional.relu(self.bn2(self.conv2(y)) + self.downsample(x))


class Bottleneck(nn.Module):
    """1x1, 3x3 (which carries the stride) and 1x1 convolutions around a shortcut: the block of ResNet-50."""

    expansion = 4

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        outputs = width * self.expansion
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample = _shortcut(inputs, outputs, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inputs, h, w) to (B, 4 width, h / stride, w / stride)."""
        y = functional.relu(self.bn1(self.conv1(x)))
        y = functional.relu(self.bn2(self.conv2(y)))
        return functional.relu(self.bn3(self.conv3(y)) + self.downsample(x))


_ARCHITECTURES: dict[int, tuple[type[BasicBlock | Bottleneck], tuple[int, int, int, int]]] = {
    18: (BasicBlock, (2, 2, 2, 2)),
    50: (Bottleneck, (3, 4, 6, 3)),
}


def _stage(block: type[BasicBlock | Bottleneck], inputs: int, width: int, count: int, stride: int) -> nn.Sequential:
    later = [block(width * block.expansion, width, 1) for _ in range(count - 1)]
    return nn.Sequential(block(inputs, width, stride), *later)


def _shortcut(inputs: int, outputs: int, stride: int) -> nn.Module:
    if stride == 1 and inputs == outputs:
        return nn.Identity()
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))


def _depth(state: Mapping[str, Tensor], origin: str) -> int:
    outputs, features = state["fc.weight"].shape if "fc.weight" in state and state["fc.weight"].ndim == 2 else (0, 0)
    found = tuple(count_numbered(state, f"layer{stage}.") for stage in range(1, 5))
    for depth, (block, counts) in _ARCHITECTURES.items():
        if features == 512 * block.expansion and (found, outputs) == (counts, len(scene_categories())):
            return depth
    looks = f"fc.weight reads {features} features and gives {outputs} classes, stages have {found} blocks"
    raise WrongWeights(f"{origin} is no Places365 ResNet-18 or ResNet-50: {looks}")
