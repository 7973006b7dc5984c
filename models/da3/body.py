"""The body of Depth Anything 3: a DINOv2 of which, from some block on, every odd block sees all views at once."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.da3.config import Da3Config
from models.da3.reference import choose_reference, reference_first, reordered
from models.dinov2.backbone import Dinov2, split
from models.rotary import Rotation

FEWEST_TO_CHOOSE = 3
"""Views from which on a reference is chosen; of fewer it is the first."""


@dataclass(frozen=True)
class EncodedViews:
    """What the body makes of views, in the order they came in.

    features: four times (B, S, rows * columns, 2 C): what the last block of a single view gave beside what the named
    block gave, the latter normalised. cameras: (B, S, 2 C), the camera token of the last of these, not normalised.
    reference: (B,) index of the view whose camera the others are told against.
    """

    features: list[Tensor]
    cameras: Tensor
    reference: Tensor


class Da3Body(nn.Module):
    """Blocks of one view and of all; with given cameras their tokens take the place of the learned ones."""

    def __init__(self, config: Da3Config) -> None:
        super().__init__()
        self.config = config
        self.pretrained = Dinov2(config.body)

    def forward(self, images: Tensor, cameras: Tensor | None, strategy: str) -> EncodedViews:
        """Encode views (B, S, 3, H, W); cameras: tokens (B, S, C) of given cameras."""
        batch, views = images.shape[:2]
        tokens = split(self.pretrained.embed(images.flatten(0, 1)), 0, (batch, views))
        rotations = self._rotations(images, views)
        order = torch.arange(views, device=tokens.device).expand(batch, -1)
        start = self.config.alternates_from or 0
        kept, own = [], tokens
        for index, block in enumerate(self.pretrained.blocks):
            if index == start - 1 and cameras is None and views >= FEWEST_TO_CHOOSE:
                order = reference_first(choose_reference(tokens[:, :, 0], strategy), views)
                tokens = reordered(tokens, order)
            if index == start:
                tokens = torch.cat([self._camera_tokens(tokens, cameras), tokens[:, :, 1:]], dim=2)
            if index >= start and index % 2:
                tokens = split(block(tokens.flatten(1, 2), rotations[1]), 1, (views, -1))
            else:
                rotation = rotations[0] if index >= start else None
                tokens = own = split(block(tokens.flatten(0, 1), rotation), 0, (batch, views))
            if index in self.config.layers:
                kept.append((own, tokens))
        return self._handed_on(kept, order)

    def _handed_on(self, kept: list[tuple[Tensor, Tensor]], order: Tensor) -> EncodedViews:
        back = order.argsort(dim=1)
        features = [torch.cat([own, self.pretrained.norm(tokens)], dim=-1)[:, :, 1:] for own, tokens in kept]
        cameras = torch.cat([kept[-1][0][:, :, 0], kept[-1][1][:, :, 0]], dim=-1)
        return EncodedViews([reordered(feature, back) for feature in features], reordered(cameras, back), order[:, 0])

    def _camera_tokens(self, tokens: Tensor, cameras: Tensor | None) -> Tensor:
        """Tokens (B, S, 1, C) of the cameras: one for the reference, another for all other views, unless given."""
        if cameras is not None:
            return cameras[:, :, None].to(tokens)
        batch, views = tokens.shape[:2]
        rows = self.pretrained.camera_rows[[0] + [1] * (views - 1)]
        return rows[None, :, None].expand(batch, -1, -1, -1).to(tokens)

    def _rotations(self, images: Tensor, views: int) -> tuple[Rotation, Rotation]:
        """Return angles for blocks of one view, and of all views, where patches differ from camera tokens alone."""
        rows, columns = (side // self.config.body.patch for side in images.shape[-2:])
        width, device = self.config.width // self.config.heads, self.pretrained.cls_token.device
        places = torch.stack(
            torch.meshgrid(torch.arange(rows, device=device), torch.arange(columns, device=device), indexing="ij"), -1
        ).reshape(-1, 2)
        camera = places.new_zeros(1, 2)
        own = Rotation.of_places(torch.cat([camera, places + 1]), width)
        common = Rotation.of_places(torch.cat([camera, torch.ones_like(places)]), width)
        return own, common.repeated(views)
