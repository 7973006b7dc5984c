"""A network of MoGe's kind small enough to be trained on one core and shipped: depth, mask, field of view and metres.

What differs from the released ones: convolutions pre-trained on ImageNet (EfficientNet-Lite0) in place of DINOv2; no
normals; and what is learned of depth z is z / f, f the focal length: of one picture, a narrower lens makes all appear
nearer by its factor, so that z / f alone can be seen. Where the lens is known, depth follows from it; a shift is not
needed.
"""

import itertools
from collections.abc import Mapping
from typing import Self

import torch
from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError
from torch import Tensor, nn
from torch.nn import functional

from models.convolutions import ResidualBlock
from models.errors import WrongWeights
from models.imagenet.efficientnet_lite import PYRAMID, LiteTrunk, normalised
from models.moge.raw import MogeRaw, check_pictures, picture_coordinates
from models.weights.families import in_words

_OF_PICTURE = 4
"""What is said of a picture as a whole: log scale, log focal length, and each one's ``deviation``."""

SMALLEST_DEVIATION = 0.02
"""Of the logarithms of scale and focal length: what no picture tells better."""


class SmallMogeConfig(BaseModel):
    """Sizes of the network; kept in the metadata of its weights."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    short_side: int = Field(120, ge=32, le=1024, description="of the pictures it was trained on, pixels")
    widths: tuple[PositiveInt, PositiveInt, PositiveInt, PositiveInt, PositiveInt] = Field(
        (128, 96, 64, 48, 24), description="channels at 1/32, 1/16, 1/8, 1/4 and 1/2"
    )


class SmallMoge(nn.Module):
    """The network, with the interface of ``Moge``."""

    def __init__(self, config: SmallMogeConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = TrunkEncoder()
        self.neck = Neck(config.widths)
        self.maps_head = nn.Conv2d(config.widths[-1], 2, 3, padding=1)
        self.picture_head = nn.Sequential(
            nn.Linear(PYRAMID[0], config.widths[0]), nn.ReLU(), nn.Linear(config.widths[0], _OF_PICTURE)
        )
        self.multiply_type = torch.float32

    @classmethod
    def of(cls, metadata: Mapping[str, str], origin: str) -> Self:
        """Return a network with the sizes that the metadata of its weights hold.

        Raises:
            WrongWeights: they hold none, or impossible ones.
        """
        try:
            return cls(SmallMogeConfig.model_validate_json(metadata["config"]))
        except (KeyError, ValidationError) as error:
            raise WrongWeights(f"{origin} does not say the sizes of a small MoGe: {in_words(error)}") from error

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.maps_head.weight.device

    def multiply_in(self, dtype: torch.dtype) -> Self:
        """Multiply in ``dtype`` (bfloat16 or float16 on GPUs); what comes out is float32 all the same."""
        self.multiply_type = dtype
        return self

    def forward(self, images: Tensor, *, level: int = 0, mask: bool = True) -> MogeRaw:  # noqa: ARG002 - it has one size
        """Look at pictures (B, 3, H, W), RGB in [0, 1], each by itself; outputs have their size.

        level: of no consequence, there is one resolution. mask: whether it is wanted.

        Raises:
            UnusableInput: another shape, or values that are not finite.
        """
        check_pictures(images)
        size = (images.shape[-2], images.shape[-1])
        with torch.autocast(images.device.type, self.multiply_type, enabled=self.multiply_type != torch.float32):
            maps, of_picture = (part.float() for part in self.look(255 * images.to(self.maps_head.weight)))
        log_depth, logits = functional.interpolate(maps, size, mode="bilinear").unbind(1)
        log_scale, log_sigma, log_focal, _ = of_picture.unbind(1)
        lateral = log_depth.exp()
        place = picture_coordinates(size, size, images.device)
        depth = log_focal.exp()[:, None, None] * lateral
        return MogeRaw(
            points=torch.cat([place * lateral[..., None], depth[..., None]], dim=-1),
            normal=None,
            mask=logits.sigmoid() if mask else None,
            metric_scale=log_scale.exp(),
            shifted=False,
            scale_sigma=deviation(log_sigma),
        )

    def look(self, rgb: Tensor) -> tuple[Tensor, Tensor]:
        """Look at pictures (B, 3, H, W), RGB in 0..255.

        Returns maps (B, 2, h, w), of log(z / f) with mean 0 and of log-odds of something solid, at half the size that
        is looked at; and (B, 4): log scale, its ``deviation``, log focal length in half diagonals, the same of that.
        """
        small = self.shrunk(rgb)
        pyramid = self.encoder(normalised(small))
        finest = self.neck(pyramid, (small.shape[-2], small.shape[-1]))
        maps = self.maps_head(finest)
        depth = maps[:, :1] - maps[:, :1].mean(dim=(2, 3), keepdim=True)
        return torch.cat([depth, maps[:, 1:]], dim=1), self.picture_head(pyramid[0].mean(dim=(2, 3)))

    def shrunk(self, rgb: Tensor) -> Tensor:
        """Resize pictures (B, 3, H, W) to the short side that the network was trained on, sides even."""
        height, width = rgb.shape[-2:]
        factor = self.config.short_side / min(height, width)
        size = (2 * round(height * factor / 2), 2 * round(width * factor / 2))
        if size == (height, width):
            return rgb.float()
        return functional.interpolate(rgb.float(), size, mode="bilinear", antialias=True)


def deviation(raw: Tensor) -> Tensor:
    """Turn what the network says of its error into a standard deviation."""
    return raw.exp() + SMALLEST_DEVIATION


class TrunkEncoder(nn.Module):
    """The trunk of EfficientNet-Lite0, whose statistics stay those of its own training."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = LiteTrunk()

    def train(self, mode: bool = True) -> Self:  # noqa: ARG002 - the signature is torch's
        """Stay in evaluation mode: batches are too small for statistics."""
        return super().train(mode=False)

    def forward(self, pixels: Tensor) -> list[Tensor]:
        """Return maps of normalised pictures (B, 3, H, W), coarse to fine, as ``LiteTrunk.pyramid``."""
        return self.backbone.pyramid(pixels)


class Neck(nn.Module):
    """From coarse to fine: take a level in, with the place of its cells, add what is coarser, refine."""

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        pairs = zip(PYRAMID, widths, strict=True)
        self.inputs = nn.ModuleList(nn.Conv2d(found + 2, width, 1) for found, width in pairs)
        self.handed_on = nn.ModuleList(nn.Conv2d(a, b, 1) for a, b in itertools.pairwise(widths))
        self.blocks = nn.ModuleList(ResidualBlock(width) for width in widths)

    def forward(self, pyramid: list[Tensor], picture: tuple[int, int]) -> Tensor:
        """Return the finest map (B, C, h / 2, w / 2) of maps from coarse to fine of a picture (height, width)."""
        maps = None
        for level, found in enumerate(pyramid):
            size = (found.shape[-2], found.shape[-1])
            place = picture_coordinates(size, picture, found.device).movedim(-1, 0)
            taken = self.inputs[level](torch.cat([found, place.expand(len(found), -1, -1, -1)], dim=1))
            if maps is not None:
                taken = taken + functional.interpolate(self.handed_on[level - 1](maps), size, mode="bilinear")
            maps = self.blocks[level](taken)
        return maps  # type: ignore[return-value]
