"""Teacher ``dinov2``: the patch tokens of DINOv2."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from models.errors import WrongWeights
from models.extras import extra
from models.indoor.places365 import IMAGENET_MEAN, IMAGENET_STD
from models.weights.checkpoint import read_state_dict
from models.weights.contents import checksum

HEAD_WIDTH = 64
"""Channels of an attention head in every DINOv2."""

_PREFIX = re.compile(r"^dinov2(_with_registers)?\.")


class Dinov2Teacher:
    """DINOv2 (Oquab et al., 2023), by transformers; features are the patch tokens after the last norm.

    With registers (Darcet et al., 2024) too: their tokens stand between the class and the patches, and are left out.

    Pictures are resized to the nearest multiples of the patch (480x640: 476x630, 34 x 45 patches of 14 pixels).
    """

    def __init__(self, path: Path) -> None:
        """Load a file of weights as transformers writes it; all sizes are read from it."""
        with extra("segmenters", "running DINOv2"):
            from transformers import Dinov2Config, Dinov2Model, Dinov2WithRegistersConfig, Dinov2WithRegistersModel

        state = {_PREFIX.sub("", name): value for name, value in read_state_dict(path).items()}
        sizes = _dinov2_sizes(state, path.name)
        # transformers renames entries of older files as it loads them
        kind: Any = Dinov2WithRegistersModel if "num_register_tokens" in sizes else Dinov2Model
        config: Any = Dinov2WithRegistersConfig if "num_register_tokens" in sizes else Dinov2Config
        network, report = kind.from_pretrained(None, config=config(**sizes), state_dict=state, output_loading_info=True)
        if report["missing_keys"]:
            message = f"{path.name} lacks weights of DINOv2, first {min(report['missing_keys'])}"
            raise WrongWeights(message)
        strange = sorted({*report["unexpected_keys"]} - {"classifier.weight", "classifier.bias"})
        if strange:
            message = f"{path.name} holds more than DINOv2 has, first {strange[0]}"
            raise WrongWeights(message)
        self.network: Any = network.eval().requires_grad_(requires_grad=False)
        self.name, self.width, self.patch = "dinov2", sizes["hidden_size"], sizes["patch_size"]
        self._before_patches = 1 + sizes.get("num_register_tokens", 0)
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
        tokens: Tensor = self.network(pixel_values=(pixels - mean) / deviation).last_hidden_state[
            :, self._before_patches :
        ]
        return tokens.mT.reshape(len(rgb), -1, height, width)


def _dinov2_sizes(state: Mapping[str, Tensor], origin: str) -> dict[str, Any]:
    try:
        width, _, patch, _ = state["embeddings.patch_embeddings.projection.weight"].shape
        places = state["embeddings.position_embeddings"].shape[1] - 1
        blocks = {name.split(".")[2] for name in state if name.startswith("encoder.layer.")}
    except (KeyError, ValueError) as error:
        message = f"{origin} is no DINOv2 of transformers: {error} is missing"
        raise WrongWeights(message) from error
    registers = state.get("embeddings.register_tokens")
    return {
        **({} if registers is None else {"num_register_tokens": registers.shape[1]}),
        "hidden_size": width,
        "patch_size": patch,
        "image_size": round(places**0.5) * patch,
        "num_hidden_layers": len(blocks),
        "num_attention_heads": max(width // HEAD_WIDTH, 1),
        "use_swiglu_ffn": any(".mlp.weights_in." in name for name in state),
    }
