"""Depth Anything 3 METRIC-LARGE: one picture in, depth in metres once the focal length is known, and sky.

Written from a description of the network; ByteDance released the weights under Apache-2.0.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch
from torch import Tensor, nn

from models.da3.checkpoint import read_checkpoint
from models.da3.config import Da3Config
from models.da3.heads import MetricHead
from models.dinov2.backbone import Dinov2, check_images
from models.errors import UnusableInput, WrongWeights
from models.weights.checkpoint import for_inference
from models.weights.families import DA3_METRIC

FOCAL_OF_OUTPUT = 300.0
"""Focal length in pixels at which the network's numbers are metres."""

SKY_FROM = 0.3
"""Values of ``sky`` from which a pixel is taken for sky, or indoors for a window onto it."""


_FEWEST, _FAR = 10, 0.99


@dataclass(frozen=True)
class MetricView:
    """What the network says about pictures.

    depth: (B, H, W) float32, metres along the camera's axis if the focal length were 300 pixels of the input.
    sky: (B, H, W) float32, 0 = not sky, about 1 = sky, without an upper bound.
    """

    depth: Tensor
    sky: Tensor

    def metres(self, focal: float | Tensor) -> Tensor:
        """Return depth (B, H, W) in metres; focal: pixels of the network's input, a number or one a picture (B,).

        Raises:
            UnusableInput: a focal length that is no positive number.
        """
        focal = torch.as_tensor(focal, dtype=self.depth.dtype, device=self.depth.device)
        if not bool((focal.isfinite() & (focal > 0)).all()):
            raise UnusableInput("metres need the focal length in pixels of the network's input, a positive number")
        return self.depth * (focal / FOCAL_OF_OUTPUT).reshape(-1, 1, 1)

    def with_far_sky(self) -> "MetricView":
        """Give sky the distance of the farthest hundredth of the rest, as upstream does, in every picture by itself.

        Pictures with ten pixels or fewer of either kind stay as they are.
        """
        far = self.depth.clone()
        for depth, is_sky in zip(far, self.sky >= SKY_FROM, strict=True):
            if _FEWEST < int(is_sky.sum()) < is_sky.numel() - _FEWEST:
                depth[is_sky] = torch.quantile(depth[~is_sky], _FAR)
        return MetricView(far, self.sky)


class _Body(nn.Module):
    def __init__(self, config: Da3Config) -> None:
        super().__init__()
        self.pretrained = Dinov2(config.body)


class Da3Metric(nn.Module):
    """The network; parameters carry the names of the released file, without the leading ``model.``."""

    def __init__(self, config: Da3Config) -> None:
        super().__init__()
        if config.sees_views:
            raise WrongWeights("this is a network for several views, whose depth is not metric: load it with Da3")
        self.config = config
        self.backbone = _Body(config)
        self.head = MetricHead(config)
        self.body_type = torch.float32

    @classmethod
    def load(cls, path_or_name: str | Path) -> Self:
        """Load a ``model.safetensors``, a folder of the hub, or a registered name, ready for inference.

        Raises:
            WrongWeights: damaged, unsafe or another network's file; the message gives its checksum.
            WeightsUnavailable: a registered name that is neither cached nor reachable.
        """
        config, state = read_checkpoint(path_or_name, DA3_METRIC)
        return for_inference(lambda: cls(config), state, str(path_or_name))

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.head.scratch.output_conv1.weight.device

    def body_in(self, dtype: torch.dtype) -> Self:
        """Multiply in ``dtype`` in the body (bfloat16 on GPUs); the rest stays in float32."""
        self.body_type = dtype
        return self

    def forward(self, images: Tensor) -> MetricView:
        """Depth and sky of pictures (B, 3, H, W), prepared by ``models.da3.preprocess``.

        Raises:
            UnusableInput: another shape, or values that are not finite.
        """
        if images.ndim != 4:
            raise UnusableInput(f"pictures must be (B, 3, H, W), not {tuple(images.shape)}")
        check_images(images, self.config.body.patch)
        with torch.autocast(self.device.type, self.body_type, enabled=self.body_type != torch.float32):
            taps = self.backbone.pretrained.taps(images.to(self.device), self.config.layers)
        layers = [tokens[:, 1:].float() for tokens in taps]
        depth, sky = self.head(layers, (images.shape[-2], images.shape[-1]))
        return MetricView(depth[:, 0].exp(), sky[:, 0].relu())
