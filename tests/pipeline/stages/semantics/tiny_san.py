"""A small SAN checkpoint with name-seeded weights, and settings that make it label small pictures."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from models.san.name_seeded import TINY, name_seeded_san, photo, tell_apart
from pipeline.contract.classes import OCCUPIED_CLASSES

_NAMES = [c.name.lower() for c in OCCUPIED_CLASSES]


def write_checkpoint(path: Path) -> Path:
    """Write a network in the released layout that sees differences between regions and between words."""
    network = name_seeded_san(TINY)
    tell_apart(network, torch.from_numpy(photo("mean", 160, 224)).permute(2, 0, 1)[None], _NAMES)
    torch.save({"model": network.state_dict()}, path)
    return path


@contextmanager
def cached_checkpoint(folder: Path) -> Iterator[Path]:
    """Write such a network into a folder that is the cache of weights for the time of the block."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("YOUTUBE_OCC_WEIGHTS", str(folder))
        yield write_checkpoint(folder / "tiny.pth")


def tiny_settings(checkpoint: Path, **changes: Any) -> dict[str, Any]:
    """Settings of the backend under which nothing is too small or too doubtful."""
    usual = {"short_side": 160, "proposal_score_min": 0, "proposal_kept_min": 0, "region_pixels_min": 16}
    return {"weights": str(checkpoint), **usual, **changes}


def write_vocabulary(path: Path, adjective: str, moving: tuple[str, ...] = ()) -> Path:
    """Write a vocabulary in which every class has one name, told apart from others by an adjective."""
    classes = {name: [f"{adjective} {name}"] for name in _NAMES}
    path.write_text(yaml.safe_dump({"classes": classes, "moving": list(moving)}), encoding="utf-8")
    return path
