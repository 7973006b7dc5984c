"""Frozen image networks whose features are distilled: DINOv2, and the image tower of a Side Adapter Network."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import functional

from models.device import device_of
from models.errors import WrongWeights
from models.indoor.places365 import IMAGENET_MEAN, IMAGENET_STD
from models.san.preprocess import PaddedBatch, normalise_and_pad
from models.weights.cache import checksum, locate
from models.weights.checkpoint import read_state_dict
from training.errors import WrongCheckpoint

HEAD_WIDTH = 64
"""Channels of an attention head in every DINOv2."""


class Teacher(Protocol):
    """A frozen image network.

    name: what it is. width: D, of its features. weights: SHA-256 of its files by name, which decides what is cached.
    """

    name: str
    width: int
    weights: Mapping[str, str]

    def to(self, device: torch.device) -> "Teacher":
        """Move it to a device."""
        ...

    def features(self, rgb: Tensor) -> Tensor:
        """Return features (B, D, h, w) float32 of pictures (B, 3, 480, 640) uint8 RGB."""
        ...


def load_teacher(kind: str, path_or_name: str) -> Teacher:
    """Return the teacher ``dinov2``, ``san`` or ``san_stem``, on the GPU where there is one.

    path_or_name: its weights, a file or a registered name.

    Raises:
        WrongCheckpoint: no such kind, or weights that are damaged or of another network.
        WeightsUnavailable: a registered name that is neither cached nor reachable.
    """
    kinds: dict[str, Any] = {"dinov2": Dinov2Teacher, "san": SanTeacher, "san_stem": StemTeacher}
    if kind not in kinds:
        message = f"there is no teacher {kind!r}; choose one of {', '.join(kinds)}"
        raise WrongCheckpoint(message)
    try:
        teacher: Teacher = kinds[kind](locate(path_or_name)).to(device_of(None))
    except WrongWeights as error:
        raise WrongCheckpoint(f"teacher {kind}: {error}") from error
    return teacher


class Dinov2Teacher:
    """DINOv2 (Oquab et al., 2023), by transformers; features are the patch tokens after the last norm.

    Pictures are resized to the nearest multiples of the patch (480x640: 476x630, 34 x 45 patches of 14 pixels).
    """

    def __init__(self, path: Path) -> None:
        """Load a file of weights as transformers writes it; all sizes are read from it."""
        from transformers import Dinov2Config, Dinov2Model

        state = {name.removeprefix("dinov2."): value for name, value in read_state_dict(path).items()}
        sizes = _dinov2_sizes(state, path.name)
        # transformers renames entries of older files as it loads them
        kind: Any = Dinov2Model
        network, report = kind.from_pretrained(
            None, config=Dinov2Config(**sizes), state_dict=state, output_loading_info=True
        )
        if report["missing_keys"]:
            message = f"{path.name} lacks weights of DINOv2, first {min(report['missing_keys'])}"
            raise WrongWeights(message)
        self.network: Any = network.eval().requires_grad_(requires_grad=False)
        self.name, self.width, self.patch = "dinov2", sizes["hidden_size"], sizes["patch_size"]
        self.weights: Mapping[str, str] = {path.name: checksum(path)}

    def to(self, device: torch.device) -> "Dinov2Teacher":
        """Move it to a device."""
        self.network.to(device)
        return self

    @torch.inference_mode()
    def features(self, rgb: Tensor) -> Tensor:
        """Return features (B, D, h, w) of pictures (B, 3, H, W) uint8."""
        height, width = (side // self.patch for side in rgb.shape[2:])
        pixels = rgb.to(next(self.network.parameters()).device).float() / 255
        size = (height * self.patch, width * self.patch)
        pixels = functional.interpolate(pixels, size, mode="bicubic", antialias=True)
        mean, deviation = (pixels.new_tensor(values)[:, None, None] for values in (IMAGENET_MEAN, IMAGENET_STD))
        tokens: Tensor = self.network(pixel_values=(pixels - mean) / deviation).last_hidden_state[:, 1:]
        return tokens.mT.reshape(len(rgb), -1, height, width)


class SanTeacher:
    """The image tower of a Side Adapter Network: the map behind the last block that both of its networks read.

    Of a released one that is CLIP's, on pictures of their own size (480x640: 15 x 20 patches for ViT-B/16). The shipped
    small one reads pictures at twice the size it was trained on, for as many patches. What lies on padding is cut off.
    """

    def __init__(self, path: Path) -> None:
        from models.san.network import San

        network: Any = San.load(path)
        self.network = network.requires_grad_(requires_grad=False)
        self.is_small = hasattr(network, "tower")
        self.name = "small_san" if self.is_small else "san"
        self.width = int(network.config.stem[-1] if self.is_small else network.config.vision_width)
        self.weights: Mapping[str, str] = {path.name: checksum(path)}

    def to(self, device: torch.device) -> "SanTeacher":
        """Move it to a device."""
        self.network.to(device)
        return self

    @torch.inference_mode()
    def features(self, rgb: Tensor) -> Tensor:
        """Return features (B, D, h, w) of pictures (B, 3, H, W) uint8."""
        return self._small_map(rgb) if self.is_small else self._clip_map(rgb)

    def _clip_map(self, rgb: Tensor) -> Tensor:
        padded = normalise_and_pad(rgb, like=next(self.network.parameters()))
        scale = self.network.config.clip_scale
        smaller = functional.interpolate(padded.pixels, scale_factor=scale, mode="bilinear", align_corners=False)
        return _without_padding(self.network.clip_visual_extractor(smaller)[-1].patches, padded)

    def _small_map(self, rgb: Tensor) -> Tensor:
        padded = self._small_pictures(rgb)
        return _without_padding(self.network.tower(self.network.stem(padded.pixels)[-1]).patches, padded)

    def _small_pictures(self, rgb: Tensor) -> PaddedBatch:
        scale = 2 * self.network.config.short_side / min(rgb.shape[2:])
        smaller = functional.interpolate(rgb.float(), scale_factor=scale, mode="bilinear", antialias=True)
        return normalise_and_pad(smaller, like=next(self.network.parameters()))


class StemTeacher(SanTeacher):
    """The convolutions of a small Side Adapter Network alone: the map that its tower reads, a smaller teacher."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        if not self.is_small:
            message = (
                f"{path.name} is a released SAN, which has no stem of convolutions: name a small one, or teacher san"
            )
            raise WrongWeights(message)
        self.name = "small_san_stem"

    def _small_map(self, rgb: Tensor) -> Tensor:
        padded = self._small_pictures(rgb)
        return _without_padding(self.network.stem(padded.pixels)[-1], padded)


def _without_padding(patches: Tensor, padded: PaddedBatch) -> Tensor:
    """Cut the map (B, C, h, w) of a padded batch to the pictures, which are all of one size."""
    height, width = padded.sizes[0]
    rows = round(height * patches.shape[2] / padded.pixels.shape[2])
    columns = round(width * patches.shape[3] / padded.pixels.shape[3])
    return patches[:, :, :rows, :columns]


def _dinov2_sizes(state: Mapping[str, Tensor], origin: str) -> dict[str, Any]:
    try:
        width, _, patch, _ = state["embeddings.patch_embeddings.projection.weight"].shape
        places = state["embeddings.position_embeddings"].shape[1] - 1
        blocks = {name.split(".")[2] for name in state if name.startswith("encoder.layer.")}
    except (KeyError, ValueError) as error:
        message = f"{origin} is no DINOv2 of transformers: {error} is missing"
        raise WrongWeights(message) from error
    return {
        "hidden_size": width,
        "patch_size": patch,
        "image_size": round(places**0.5) * patch,
        "num_hidden_layers": len(blocks),
        "num_attention_heads": max(width // HEAD_WIDTH, 1),
        "use_swiglu_ffn": any(".mlp.weights_in." in name for name in state),
    }
