"""What preset ``paper`` wants of a training: MaskDINO's weights for its image encoder, and steps of four samples."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from models.symphonies import PRESETS, Symphonies
from models.symphonies.maskdino import load_image_weights
from models.weights.located import located
from pipeline.contract.errors import SettingsError

RANDOM = "random"
"""What ``image_weights`` is set to by those who want random values."""
PAPERS_BATCH = 4
"""Samples of a step, for which the paper's learning rates are."""


def check_encoder(
    preset: str,
    image_weights: str | None,
    start: Path | None = None,
    names: Sequence[str] = ("image_weights",),
    other_preset: str = "--preset medium",
) -> None:
    """See that a network of a preset has something to see with, before hours are spent on it.

    Norms of the paper's encoder keep the statistics that they begin with, and it learns at a tenth of the rate.
    names, other_preset: the settings that say which, and what asks for a preset that needs none, as the command has it.

    Raises:
        SettingsError: the preset wants MaskDINO's weights, nobody said which, and there is no network to start from.
    """
    if _is_papers(preset) and image_weights is None and start is None:
        weights = " ".join(f"--set {name}=maskdino_r50" for name in names)
        raise SettingsError(
            f"preset {preset!r} begins with MaskDINO's image weights: {weights} (0.2 GB, "
            f"'youtube-occ weights fetch maskdino_r50' beforehand) or a file of them; {RANDOM} for random values, "
            f"whose norms stay as they are. Other presets need none: {other_preset}"
        )


def image_file(image_weights: str | None) -> Path | None:
    """Return the file of image weights, fetched where it is named; None where random values are enough.

    Raises:
        WeightsUnavailable: a registered name that is neither cached nor reachable, or no such file.
    """
    return None if image_weights in (None, RANDOM) else located(str(image_weights), "model.pth")


def begin_encoder(network: Symphonies, image_weights: str | None) -> None:
    """Fill the image encoder of a network from its weights, if there are any.

    Raises:
        WeightsUnavailable, WrongWeights: of the file.
    """
    path = image_file(image_weights)
    if path is not None:
        load_image_weights(network, path)


def with_papers_step(preset: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings of a training, which for the paper's network takes four samples a step unless told otherwise."""
    loop = dict(values.get("loop") or {})
    if not _is_papers(preset) or "accumulate" in loop:
        return dict(values)
    devices = int(os.environ.get("WORLD_SIZE") or loop.get("devices", 1))
    together = devices * int(loop.get("batch_size", 1))
    return {**values, "loop": {**loop, "accumulate": max(1, PAPERS_BATCH // together)}}


def _is_papers(preset: str) -> bool:
    return preset in PRESETS and PRESETS[preset].encoder == "maskdino"
