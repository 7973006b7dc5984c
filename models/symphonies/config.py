"""Sizes of the network, and the presets."""

from dataclasses import dataclass, replace
from typing import Literal

GRID_SHAPE = (60, 60, 36)
VOXEL_SIZE = 0.08
LARGEST, LARGEST_COUNT = 8192, 1024
"""Bounds of widths and pictures, and of heads, layers and the like: a description may come from anywhere."""


@dataclass(frozen=True)
class SymphoniesConfig:
    """Sizes of a network.

    outputs: width of the head: 12 classes, the width of a teacher's features, or 2, free and occupied.
    language: width of a second head's vectors, comparable with a text network's; 0 for none.
    scale: voxels a side of a cell; the decoder works on cells, and above 1 its result is up-sampled to the grid.
    fine_channels: channels after up-sampling; not used at scale 1.
    deep_supervision: in training the head also answers after every layer but the last.
    picture_size: (height, width) that pictures are resized to.
    encoder: ``maskdino``, ResNet-50 and MaskDINO's pixel decoder; ``small``, a few convolutions.
    frozen_backbone_norm: batch norms of the ResNet keep their statistics, as with pre-trained weights they must.
    norm: of the decoder's convolutions; ``group`` gives the same result whatever the batch.
    aspp: ``full``, 3x3x3 convolutions as published; ``factored``, each as three along one axis.
    lifting: ``floor`` puts a pixel into the voxel that holds its point; ``truncate`` is upstream's half a voxel beside.
    """

    outputs: int = 12
    language: int = 0
    channels: int = 128
    heads: int = 8
    points: int = 4
    layers: int = 3
    queries: int = 100
    dropout: float = 0.1
    scale: int = 1
    fine_channels: int = 0
    deep_supervision: bool = True
    picture_size: tuple[int, int] = (480, 640)
    encoder: Literal["maskdino", "small"] = "maskdino"
    frozen_backbone_norm: bool = True
    norm: Literal["batch", "group"] = "batch"
    aspp: Literal["full", "factored"] = "full"
    lifting: Literal["floor", "truncate"] = "floor"

    def __post_init__(self) -> None:
        numbers = [value for value in (*vars(self).values(), *self.picture_size) if type(value) is int]
        most = (self.heads, self.points, self.layers, self.queries, self.scale)
        if min(numbers) < 0 or max(numbers) > LARGEST or not 1 <= min(most) <= max(most) <= LARGEST_COUNT:
            raise ValueError(f"sizes from {min(numbers)} to {max(numbers)} are those of no network")

    @property
    def cells(self) -> tuple[int, int, int]:
        """Shape (X, Y, Z) of the decoder's grid."""
        x, y, z = (side // self.scale for side in GRID_SHAPE)
        return x, y, z

    @property
    def cell_size(self) -> float:
        """Side of a cell in metres."""
        return VOXEL_SIZE * self.scale

    @property
    def head_channels(self) -> int:
        """Channels that the head reads."""
        return self.channels if self.scale == 1 else self.fine_channels


SMALL = SymphoniesConfig(
    channels=32,
    heads=4,
    layers=2,
    queries=16,
    dropout=0.0,
    scale=3,
    fine_channels=8,
    deep_supervision=False,
    picture_size=(120, 160),
    encoder="small",
    frozen_backbone_norm=False,
    norm="group",
)

PRESETS: dict[str, SymphoniesConfig] = {
    "paper": SymphoniesConfig(),
    "tiny": replace(SMALL, channels=16, heads=2, layers=1, queries=8, fine_channels=4),
    "small": SMALL,
    "fine": replace(SMALL, scale=2, fine_channels=16),
    "medium": replace(SMALL, channels=64, fine_channels=16),
}
"""``paper``: as published for NYUv2, 58.2 M parameters. ``small``, 0.50 M: a training step in about a second on two
cores; ``tiny``, 0.24 M, takes 0.4 times as long and ``medium``, 1.27 M, twice as long. ``fine``, 0.87 M: ``small`` with
cells of 16 cm, which can hold most of a chair (those of 24 cm cannot), and 16 channels before the head; 2.5 times."""
