"""Depth Anything 3 for any number of views (Lin et al., 2025): pictures in, depth, rays and cameras out.

Written from a description of the network. Weights are not part of this package; ``youtube-occ weights list`` names
those of SMALL and BASE, which ByteDance released under Apache-2.0.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch
from torch import Tensor, nn

from models.da3.body import Da3Body
from models.da3.cameras import (
    CameraDecoder,
    CameraEncoder,
    decode_cameras,
    encode_cameras,
    inverted,
    normalised_cameras,
)
from models.da3.checkpoint import read_checkpoint
from models.da3.config import Da3Config
from models.da3.heads import DualHead
from models.dinov2.backbone import check_images, split
from models.errors import UnusableInput, WrongWeights
from models.weights.checkpoint import for_inference

VIEWS_AT_ONCE = 8
"""Views that the head works on at a time, which bounds its memory and changes no value."""


@dataclass(frozen=True)
class Da3Views:
    """What the network says about S views of a scene, all lengths in one unit that differs from call to call.

    depth: (B, S, H, W) float32 along the camera's axis. depth_confidence: the same shape, over 1, no fixed unit.
    rays: (B, S, 8 rows, 8 columns, 6), direction (not of unit length) and origin in the world, None if not asked for;
    a point is origin + depth * direction. ray_confidence: (B, S, 8 rows, 8 columns), over 1.
    encoding: (B, S, 9), see ``models.da3.cameras``. camera_to_world: (B, S, 4, 4); the world is about the reference's
    camera. intrinsics: (B, S, 3, 3), pixels of the input. reference: (B,), which view was the reference.
    """

    depth: Tensor
    depth_confidence: Tensor
    rays: Tensor | None
    ray_confidence: Tensor | None
    encoding: Tensor
    camera_to_world: Tensor
    intrinsics: Tensor
    reference: Tensor

    @property
    def world_to_camera(self) -> Tensor:
        """Inverse of ``camera_to_world``: (B, S, 4, 4)."""
        return inverted(self.camera_to_world)


class Da3(nn.Module):
    """The network; parameters carry the names of the released files, without the leading ``model.``."""

    def __init__(self, config: Da3Config) -> None:
        super().__init__()
        if not config.sees_views:
            raise WrongWeights("this is the network for metric depth of one view: load it with Da3Metric")
        self.config = config
        self.backbone = Da3Body(config)
        self.head = DualHead(config)
        self.cam_enc = CameraEncoder(config)
        self.cam_dec = CameraDecoder(2 * config.width)
        self.body_type = torch.float32

    @classmethod
    def load(cls, path_or_name: str | Path) -> Self:
        """Load a ``model.safetensors``, a folder of the hub, or a registered name, ready for inference.

        Nothing in the file is run. The network comes in float32 on the CPU, in evaluation mode.

        Raises:
            WrongWeights: damaged, unsafe or another network's file; the message gives its checksum.
            WeightsUnavailable: a registered name that is neither cached nor reachable.
        """
        config, state = read_checkpoint(path_or_name)
        return for_inference(lambda: cls(config), state, str(path_or_name))

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.cam_dec.fc_t.weight.device

    def body_in(self, dtype: torch.dtype) -> Self:
        """Multiply in ``dtype`` in the body (bfloat16 on GPUs); sums, norms, heads and cameras stay in float32."""
        self.body_type = dtype
        return self

    def forward(
        self,
        images: Tensor,
        cameras: tuple[Tensor, Tensor] | None = None,
        *,
        rays: bool = True,
        strategy: str = "saddle_balanced",
    ) -> Da3Views:
        """Depth and cameras of views (B, S, 3, H, W), prepared by ``models.da3.preprocess``, all of one size.

        cameras: world_to_camera (B, S, 4, 4) and intrinsics (B, S, 3, 3) in pixels of the input, of all views; they
        are not changed, and the answer is in the frame and unit that ``normalised_cameras`` gives them. rays: whether
        to compute them, which is three fifths of the head. strategy: see ``choose_reference``.

        Raises:
            UnusableInput: another shape, or values that are not finite.
        """
        if images.ndim != 5:
            raise UnusableInput(f"views must be (B, S, 3, H, W), not {tuple(images.shape)}")
        check_images(images, self.config.body.patch)
        picture = (images.shape[-2], images.shape[-1])
        tokens = None if cameras is None else self.camera_tokens(*cameras, images)
        with torch.autocast(self.device.type, self.body_type, enabled=self.body_type != torch.float32):
            seen = self.backbone(images.to(self.device), tokens, strategy)
        depth, ray = self._heads([layer.float() for layer in seen.features], picture, rays=rays)
        encoding = self.cam_dec(seen.cameras.float())
        camera_to_world, intrinsics = decode_cameras(encoding, picture)
        return Da3Views(
            # depth = exp(l0), confidence = 1 + exp(l1); rays as they are
            depth=depth[:, :, 0].exp(),
            depth_confidence=1 + depth[:, :, 1].exp(),
            rays=None if ray is None else ray[:, :, :6].movedim(2, -1),
            ray_confidence=None if ray is None else 1 + ray[:, :, 6].exp(),
            encoding=encoding,
            camera_to_world=camera_to_world,
            intrinsics=intrinsics,
            reference=seen.reference,
        )

    def camera_tokens(self, world_to_camera: Tensor, intrinsics: Tensor, images: Tensor) -> Tensor:
        """Return tokens (B, S, C) of given cameras.

        Raises:
            UnusableInput: not one camera a view.
        """
        if world_to_camera.shape[:2] != images.shape[:2] or intrinsics.shape != (*images.shape[:2], 3, 3):
            raise UnusableInput(f"cameras must be given for all views {tuple(images.shape[:2])}, or for none")
        focal = intrinsics.diagonal(dim1=-2, dim2=-1)[..., :2]
        if not bool(intrinsics.isfinite().all()) or not bool((focal > 0).all()):
            raise UnusableInput("intrinsics need focal lengths above nought, in pixels of the input")
        size = (images.shape[-2], images.shape[-1])
        poses = normalised_cameras(world_to_camera.to(self.device).float())
        return self.cam_enc(encode_cameras(poses, intrinsics.to(poses), size))  # type: ignore[no-any-return]

    def _heads(self, layers: list[Tensor], picture: tuple[int, int], *, rays: bool) -> tuple[Tensor, Tensor | None]:
        batch, views = layers[0].shape[:2]
        flat = [layer.flatten(0, 1) for layer in layers]
        slices = [slice(start, start + VIEWS_AT_ONCE) for start in range(0, batch * views, VIEWS_AT_ONCE)]
        found = [self.head([layer[some] for layer in flat], picture, rays=rays) for some in slices]
        depth = split(torch.cat([one for one, _ in found]), 0, (batch, views))
        if not rays:
            return depth, None
        return depth, split(torch.cat([ray for _, ray in found if ray is not None]), 0, (batch, views))
