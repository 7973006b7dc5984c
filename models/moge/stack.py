"""The stack of convolutions over five levels of which MoGe-2's neck and heads are made.

Module names are those of the released state_dict. Every 3x3 convolution repeats the border.
"""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn


class ResidualLayers(nn.Module):
    """Two 3x3 convolutions, each behind a ReLU, beside a shortcut; places 0 and 3 are for norms that none has."""

    def __init__(self, width: int) -> None:
        super().__init__()
        first, second = conv3(width, width), conv3(width, width)
        self.layers = nn.Sequential(nn.Identity(), nn.ReLU(), first, nn.Identity(), nn.ReLU(), second)

    def forward(self, maps: Tensor) -> Tensor:
        """Refine maps (B, C, h, w)."""
        return maps + self.layers(maps)  # type: ignore[no-any-return]


class ConvStack(nn.Module):
    """From coarse to fine: take a level's input in, refine, hand on, double."""

    def __init__(self, inputs: Sequence[int], widths: Sequence[int], blocks: Sequence[int], output: int | None) -> None:
        super().__init__()
        self.input_blocks = nn.ModuleList(nn.Conv2d(*pair, 1) for pair in zip(inputs, widths, strict=True))
        self.res_blocks = nn.ModuleList(
            nn.Sequential(*(ResidualLayers(width) for _ in range(count)))
            for width, count in zip(widths, blocks, strict=True)
        )
        *pairs, last = pairwise(widths)
        self.resamplers = nn.ModuleList(
            [
                *(nn.Sequential(nn.ConvTranspose2d(a, b, 2, stride=2), conv3(b, b)) for a, b in pairs),
                nn.Sequential(nn.Upsample(scale_factor=2, mode="bilinear"), conv3(*last)),
            ]
        )
        outputs = [None] * (len(widths) - 1) + [output]
        self.output_blocks = nn.ModuleList(
            nn.Identity() if channels is None else nn.Conv2d(width, channels, 1)
            for width, channels in zip(widths, outputs, strict=True)
        )

    def forward(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Return a map a level from one a level: (B, C, 2^level rows, 2^level columns)."""
        found: list[Tensor] = []
        maps = None
        for level, given in enumerate(inputs):
            taken = self.input_blocks[level](given)
            maps = self.res_blocks[level](taken if maps is None else maps + taken)
            found.append(self.output_blocks[level](maps))
            if level + 1 < len(inputs):
                maps = self.resamplers[level](maps)
        return found


def conv3(inputs: int, outputs: int) -> nn.Conv2d:
    """Make a 3x3 convolution that repeats the border."""
    return nn.Conv2d(inputs, outputs, 3, padding=1, padding_mode="replicate")
