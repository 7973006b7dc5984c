"""The network as a whole: pictures with depth and cameras in, a score for every class of every voxel out."""

from torch import Tensor, nn

from models.symphonies.config import SymphoniesConfig
from models.symphonies.convolutions import ToVoxels
from models.symphonies.decoder import Decoder
from models.symphonies.encoder import image_encoder
from models.symphonies.language import LanguageHead
from models.symphonies.views import Views, resized, surface_voxels


class Symphonies(nn.Module):
    """Semantic occupancy from one picture and its depth map; any batch size."""

    def __init__(self, config: SymphoniesConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = image_encoder(config)
        self.decoder = Decoder(config)
        self.to_voxels = None if config.scale == 1 else ToVoxels(config)
        self.head = nn.Conv3d(config.head_channels, config.outputs, 1)
        self.language_head = LanguageHead(config.head_channels, config.language) if config.language else None

    def features(self, views: Views) -> list[Tensor]:
        """Return what the head reads, (B, D, 60, 60, 36), after every layer in training, else after the last.

        Raises:
            UnusableInput: shapes that do not belong together, or a picture without any depth.
        """
        views.check()
        rgb, small = resized(views, self.config.picture_size)
        grids: list[Tensor] = self.decoder(self.encoder(rgb), small)
        wanted = grids if self.training and self.config.deep_supervision else grids[-1:]
        if self.to_voxels is None:
            return wanted
        surface = surface_voxels(views)
        return [self.to_voxels(grid, surface) for grid in wanted]

    def forward(self, views: Views) -> list[Tensor]:
        """Return the logits (B, outputs, 60, 60, 36) that belong to ``features``."""
        return [self.head(grid) for grid in self.features(views)]

    def head_linear(self, rows: Tensor) -> Tensor:
        """Apply the head to rows of features (n, D): (n, outputs). The head being linear, means may be taken before."""
        return nn.functional.linear(rows, self.head.weight.flatten(1), self.head.bias)
