"""The pieces of a dense prediction transformer's head (Ranftl et al., ICCV 2021) that several networks share."""

from torch import Tensor, nn
from torch.nn import functional


class ResidualUnit(nn.Module):
    """Two 3x3 convolutions, each behind a ReLU, beside a shortcut."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, maps: Tensor) -> Tensor:
        """Refine maps (B, C, h, w)."""
        # y = x + W2 * relu(W1 * relu(x)), * a convolution
        return maps + self.conv2(self.conv1(maps.relu()).relu())  # type: ignore[no-any-return]


class DptFusion(nn.Module):
    """Refine a fused map and resize it; ``resConfUnit1`` refines the level that is added before."""

    def __init__(self, width: int, *, has_skip: bool = True) -> None:
        super().__init__()
        self.out_conv = nn.Conv2d(width, width, 1)
        if has_skip:
            self.resConfUnit1 = ResidualUnit(width)
        self.resConfUnit2 = ResidualUnit(width)

    def forward(self, fused: Tensor, size: tuple[int, int] | None = None) -> Tensor:
        """Return maps of the given size, or twice as large.

        The projection comes before the resize: both are linear and commute, and so it costs a quarter.
        """
        return resized(self.out_conv(self.resConfUnit2(fused)), size)


def resized(maps: Tensor, size: tuple[int, int] | None = None) -> Tensor:
    """Resize maps (B, C, h, w) bilinearly, corners on corners; twice as large where no size is given."""
    size = size or (2 * maps.shape[-2], 2 * maps.shape[-1])
    return functional.interpolate(maps, size, mode="bilinear", align_corners=True)
