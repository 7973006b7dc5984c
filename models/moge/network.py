"""MoGe-2 (Wang et al., NeurIPS 2025): one picture in, points up to a shift, normals, mask and metric scale out.

Written from a description of the network. Weights are not part of this package; ``youtube-occ weights list`` names
those that Microsoft released under MIT.
"""

from pathlib import Path
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.dinov2.backbone import PATCH, Dinov2, split
from models.errors import UnusableInput
from models.indoor.places365 import IMAGENET_MEAN, IMAGENET_STD
from models.moge.checkpoint import read_checkpoint, small_checkpoint
from models.moge.config import LEVELS, MogeConfig
from models.moge.raw import MogeRaw, check_pictures, picture_coordinates
from models.moge.small import SmallMoge
from models.moge.stack import ConvStack
from models.weights.checkpoint import for_inference

MOST_LEVEL = 9
"""The finest level of resolution, which is upstream's default."""

_CHANNELS = {"points": 3, "normal": 3, "mask": 1}


class MogeEncoder(nn.Module):
    """Pictures to one map of summed features and a class token."""

    image_mean: Tensor
    image_std: Tensor

    def __init__(self, config: MogeConfig) -> None:
        super().__init__()
        self.taps = config.taps
        self.backbone = Dinov2(config.backbone)
        self.output_projections = nn.ModuleList(nn.Conv2d(config.width, config.width, 1) for _ in config.taps)
        for name, values in (("image_mean", IMAGENET_MEAN), ("image_std", IMAGENET_STD)):
            self.register_buffer(name, torch.tensor(values).view(1, 3, 1, 1))

    def prepared(self, images: Tensor, grid: tuple[int, int]) -> Tensor:
        """Resize pictures (B, 3, H, W) in [0, 1] to a grid of patches, without keeping their shape, and normalise."""
        size = (PATCH * grid[0], PATCH * grid[1])
        resized = functional.interpolate(images, size, mode="bilinear", antialias=True)
        return (resized - self.image_mean) / self.image_std

    def forward(self, images: Tensor, grid: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Return features (B, C, rows, columns) and class token (B, C)."""
        taps = self.backbone.taps(self.prepared(images, grid), self.taps)
        maps = [split(tokens[:, 1:].mT, 2, grid) for tokens in taps]
        projected = [project(one) for project, one in zip(self.output_projections, maps, strict=True)]
        return torch.stack(projected).sum(0), taps[-1][:, 0]


class Moge(nn.Module):
    """The network; parameters carry the names of the released state_dict."""

    def __init__(self, config: MogeConfig) -> None:
        super().__init__()
        self.config = config
        widths, width = config.widths, config.width
        self.encoder = MogeEncoder(config)
        self.neck = ConvStack([width + 2] + [2] * (LEVELS - 1), widths, config.neck_blocks, None)
        for name in config.maps:
            self.add_module(f"{name}_head", ConvStack(widths, widths, config.head_blocks, _CHANNELS[name]))
        if config.has_scale:
            first, second = nn.Linear(width, width), nn.Linear(width, width)
            self.scale_head = nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), nn.Linear(width, 1))
        self.multiply_type = torch.float32

    @classmethod
    def load(cls, path_or_name: str | Path) -> "Moge | SmallMoge":
        """Load a ``model.pt``, a folder of the hub, or a registered name, ready for inference.

        A file whose metadata hold the sizes of a small network gives one, with the same interface. Nothing in the file
        is run. The network comes in float32 on the CPU, in evaluation mode.

        Raises:
            WrongWeights: damaged, unsafe or another network's file; the message gives its checksum.
            WeightsUnavailable: a registered name that is neither cached nor reachable.
        """
        small = small_checkpoint(path_or_name)
        if small is not None:
            metadata, state = small
            return for_inference(lambda: SmallMoge.of(metadata, str(path_or_name)), state, str(path_or_name))
        config, state = read_checkpoint(path_or_name)
        return for_inference(lambda: cls(config), state, str(path_or_name))

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.encoder.image_mean.device

    def multiply_in(self, dtype: torch.dtype) -> Self:
        """Multiply in ``dtype`` (bfloat16 or float16 on GPUs); what comes out is float32 all the same."""
        self.multiply_type = dtype
        return self

    def token_grid(
        self, picture: tuple[int, int], *, tokens: int | None = None, level: int = MOST_LEVEL
    ) -> tuple[int, int]:
        """Return rows and columns of the patches of a picture of (height, width).

        tokens: about how many; else level: 0 for the fewest the network was trained with, to 9 for the most.

        Raises:
            UnusableInput: no level from 0 to 9, or tokens too few for one row or column.
        """
        if tokens is None:
            if not 0 <= level <= MOST_LEVEL:
                raise UnusableInput(f"the level of resolution is 0 to {MOST_LEVEL}, not {level}")
            low, high = self.config.tokens
            tokens = int(low + level / MOST_LEVEL * (high - low))
        aspect = picture[1] / picture[0]
        grid = (round((tokens / aspect) ** 0.5), round((tokens * aspect) ** 0.5))
        if min(grid) < 1:
            raise UnusableInput(f"a picture of {picture[1]}x{picture[0]} is too flat for {tokens} patches")
        return grid

    def forward(
        self,
        images: Tensor,
        *,
        tokens: int | None = None,
        level: int = MOST_LEVEL,
        normals: bool = True,
        mask: bool = True,
    ) -> MogeRaw:
        """Look at pictures (B, 3, H, W), RGB in [0, 1], each by itself; outputs have their size.

        tokens, level: see ``token_grid``; the cost depends on them alone. normals, mask: whether to run their heads,
        which take a fifth of the time each in the smallest network.

        Raises:
            UnusableInput: another shape, or values that are not finite.
        """
        check_pictures(images)
        images = images.to(self.encoder.image_mean)
        picture = (images.shape[-2], images.shape[-1])
        grid = self.token_grid(picture, tokens=tokens, level=level)
        asked = {"points": True, "normal": normals, "mask": mask}
        with torch.autocast(images.device.type, self.multiply_type, enabled=self.multiply_type != torch.float32):
            features, class_token = self.encoder(images, grid)
            coordinates = [
                picture_coordinates((grid[0] << level, grid[1] << level), picture, images.device)[None]
                .movedim(-1, 1).expand(len(images), -1, -1, -1)
                for level in range(LEVELS)
            ]  # fmt: skip
            neck = self.neck([torch.cat([features, coordinates[0]], dim=1), *coordinates[1:]])
            heads = {name: self._head(name, neck, picture) for name in self.config.maps if asked[name]}
            log_scale = self.scale_head(class_token)[:, 0].float() if self.config.has_scale else None
        normal, probability = heads.get("normal"), heads.get("mask")
        return MogeRaw(
            points=remapped(heads["points"], self.config.remap),
            normal=None if normal is None else functional.normalize(normal, dim=-1),
            mask=None if probability is None else probability[..., 0].sigmoid(),
            metric_scale=None if log_scale is None else log_scale.exp(),
        )

    def _head(self, name: str, neck: list[Tensor], picture: tuple[int, int]) -> Tensor:
        """Return the finest map of a head at the size of the picture: (B, H, W, channels) float32."""
        finest = self.get_submodule(f"{name}_head")(neck)[-1].float()
        return functional.interpolate(finest, picture, mode="bilinear").movedim(1, -1)


def remapped(raw: Tensor, kind: str) -> Tensor:
    """Turn raw numbers (..., 3) into points."""
    if kind == "linear":
        return raw
    if kind == "sinh":
        return raw.sinh()
    if kind == "sinh_exp":
        return torch.cat([raw[..., :2].sinh(), raw[..., 2:].exp()], dim=-1)
    # z = exp(c), x = a z, y = b z
    depth = raw[..., 2:].exp()
    return torch.cat([raw[..., :2] * depth, depth], dim=-1)
