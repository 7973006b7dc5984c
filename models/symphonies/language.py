"""POP-3D's second head (Vobecky et al., NeurIPS 2023): what a voxel says in the space of a text network."""

from torch import Tensor, nn

HIDDEN = 2
"""Width between the two layers, as a multiple of the vectors' (POP-3D: 1024 for 512)."""


class LanguageHead(nn.Module):
    """Two linear layers with a ReLU between them, on rows of voxel features rather than on whole grids.

    POP-3D has a Softplus, whose value for nothing hides at first what differs between voxels. At the full grid,
    vectors of 512 numbers would be 265 MB a picture; only some voxels are ever asked.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(channels, HIDDEN * width), nn.ReLU(), nn.Linear(HIDDEN * width, width))

    def forward(self, rows: Tensor) -> Tensor:
        """Map rows of features (n, D) to vectors (n, E) of any length; their directions are what is compared."""
        vectors: Tensor = self.layers(rows)
        return vectors
