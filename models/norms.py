"""Layer norm over the channels of maps, which PyTorch has for tokens only."""

from torch import Tensor, nn


class ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of each position of a map (B, C, h, w)."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  (the name that torch gives it)
        """Normalise."""
        return super().forward(input.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
