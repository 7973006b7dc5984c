"""Segmenters with a fixed set of names, from transformers: Mask2Former, OneFormer, MaskFormer, SegFormer and the like.

They are read from a folder as ``save_pretrained`` writes it, safetensors only and without running code from it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from models.errors import UnusableInput, WrongWeights
from models.extras import extra
from models.indoor.places365 import IMAGENET_MEAN, IMAGENET_STD
from models.json_text import parsed_json
from models.san.config import CONTEXT_LENGTH
from models.san.preprocess import resize_short_side
from models.san.prompts import tokenize
from models.san.proposals import semantic_map

DIVISOR = 32
"""Sides are padded to multiples of the coarsest stride of these networks."""
SMALLEST = 64
"""Side of the picture, pixels, that a network is tried on before it is used."""


class ClosedSetSegmenter:
    """A network of transformers that scores each pixel for each of the names it was trained on.

    names: (C,) the names as the network's configuration gives them.
    """

    def __init__(self, network: Any, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        self._network = network.eval()
        self._mean, self._std = mean, std
        self.names: tuple[str, ...] = tuple(name for _, name in sorted(network.config.id2label.items()))

    @classmethod
    def load(cls, folder: Path) -> "ClosedSetSegmenter":
        """Load a saved network and, if they lie beside it, the mean and deviation of its pictures.

        Raises:
            MissingExtra: transformers is not installed.
            WrongWeights: no network of a known kind in the folder, or not one that segments.
        """
        with extra("segmenters", "running a segmenter of transformers"):
            from transformers import AutoConfig, AutoModelForSemanticSegmentation, AutoModelForUniversalSegmentation

        if not (folder / "config.json").is_file():
            raise WrongWeights(f"{folder} holds no network: config.json is missing")
        try:
            config = AutoConfig.from_pretrained(folder, local_files_only=True)
            universal = type(config) in AutoModelForUniversalSegmentation._model_mapping  # noqa: SLF001
            kind = AutoModelForUniversalSegmentation if universal else AutoModelForSemanticSegmentation
            network, report = kind.from_pretrained(
                folder, local_files_only=True, use_safetensors=True, output_loading_info=True
            )
            loaded = cls(network, *_normalisation(folder))
            loaded.scores(torch.zeros(1, 3, SMALLEST, SMALLEST), SMALLEST, (8, 8))
        except Exception as error:  # whatever transformers makes of sizes that no network has
            raise WrongWeights(f"{folder} cannot be read as a segmenter: {error}") from error
        if report["missing_keys"]:
            raise WrongWeights(f"{folder} lacks weights, first {min(report['missing_keys'])}")
        return loaded

    def parameters(self) -> Iterator[Tensor]:
        """Yield the parameters of the network."""
        yield from self._network.parameters()

    def to(self, device: torch.device) -> "ClosedSetSegmenter":
        """Move the network to a device."""
        self._network.to(device)
        return self

    @torch.inference_mode()
    def scores(self, rgb: Tensor, short_side: int, output: tuple[int, int]) -> Tensor:
        """Score pictures (B, 3, h, w), RGB in 0..255: (B, C, height, width), each at least 0.

        Raises:
            UnusableInput: not a batch of pictures with three planes.
        """
        if rgb.ndim != 4 or rgb.shape[1] != 3:
            raise UnusableInput(f"pictures have shape {tuple(rgb.shape)} instead of (B, 3, height, width)")
        device = next(self._network.parameters()).device
        resized = resize_short_side(rgb.to(device), short_side)
        image = (resized.shape[2], resized.shape[3])
        pixels = self._padded(resized)
        answer = self._network(pixel_values=pixels, **self._task(len(pixels)))
        padded = (pixels.shape[2], pixels.shape[3])
        if "masks_queries_logits" not in answer:
            return _resized(answer.logits, padded, image, output).softmax(dim=1)
        classes = answer.class_queries_logits.softmax(dim=-1)[..., :-1]
        pairs = zip(classes, answer.masks_queries_logits, strict=True)
        return torch.stack([semantic_map(p, masks, padded, image, output) for p, masks in pairs])

    def _padded(self, resized: Tensor) -> Tensor:
        mean, std = (resized.new_tensor(numbers).view(3, 1, 1) for numbers in (self._mean, self._std))
        right, below = (-side % DIVISOR for side in (resized.shape[3], resized.shape[2]))
        return functional.pad((resized / 255 - mean) / std, (0, right, 0, below))

    def _task(self, batch: int) -> dict[str, Tensor]:
        """OneFormer is told its task in words; the others have but one."""
        config: Any = self._network.config
        if config.model_type != "oneformer":
            return {}
        ids = torch.zeros(CONTEXT_LENGTH, dtype=torch.long, device=next(self._network.parameters()).device)
        words = torch.tensor(tokenize(["the task is semantic"])[0], device=ids.device)
        ids[: len(words)] = words
        return {"task_inputs": ids.expand(batch, -1)}


def _normalisation(folder: Path) -> tuple[tuple[float, ...], tuple[float, ...]]:
    path = folder / "preprocessor_config.json"
    stated = parsed_json(path.read_bytes()) if path.is_file() else {}
    mean, std = (
        stated.get(name, known) for name, known in (("image_mean", IMAGENET_MEAN), ("image_std", IMAGENET_STD))
    )
    numbers = tuple(map(float, mean)), tuple(map(float, std))
    if any(len(found) != 3 for found in numbers) or not np.isfinite(numbers).all() or min(numbers[1]) <= 0:
        raise ValueError(f"{path.name}: mean {mean} and deviation {std} are not those of three planes")
    return numbers


def _resized(logits: Tensor, padded: tuple[int, int], image: tuple[int, int], output: tuple[int, int]) -> Tensor:
    grown = functional.interpolate(logits, padded, mode="bilinear", align_corners=False)
    return functional.interpolate(grown[:, :, : image[0], : image[1]], output, mode="bilinear", align_corners=False)
