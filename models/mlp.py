"""The two linear layers that follow attention in every block of a vision transformer."""

from torch import Tensor, nn
from torch.nn import functional


class Mlp(nn.Module):
    """Two linear layers, four times as wide between them, with the exact GELU."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Transform every token by itself."""
        return self.fc2(functional.gelu(self.fc1(tokens)))  # type: ignore[no-any-return]
