"""Inputs made of true ones; a target's name and one integer say exactly which."""

import random
from collections.abc import Mapping
from pathlib import PurePath

from tests.fuzz.byte_mutations import changed_bytes
from tests.fuzz.container_mutations import (
    changed_parquet,
    changed_pickle,
    changed_png,
    changed_safetensors,
    changed_zip,
)
from tests.fuzz.text_mutations import changed_lines, changed_xml
from tests.fuzz.tree_mutations import changed_json, changed_yaml

WITH_STRUCTURE = 0.65
"""Share of inputs whose changes know the format; the others change bytes."""


def mutated(target: str, seed: int, true: Mapping[str, bytes]) -> tuple[str, bytes]:
    """Return which of the true files is replaced for the input ``seed`` of a target, and by what."""
    rng = random.Random(f"{target} {seed}")
    name = rng.choice(sorted(true))
    others = [content for other, content in true.items() if PurePath(other).suffix == PurePath(name).suffix]
    if rng.random() < WITH_STRUCTURE:
        return name, _with_structure(rng, name, true[name], others)
    return name, changed_bytes(rng, true[name], others)


def _with_structure(rng: random.Random, name: str, content: bytes, others: list[bytes]) -> bytes:
    match PurePath(name).suffix:
        case ".json":
            return changed_json(rng, content)
        case ".yaml":
            return changed_yaml(rng, content)
        case ".xml":
            return changed_xml(rng, content)
        case ".csv" | ".txt":
            return changed_lines(rng, content)
        case ".pkl":
            return changed_pickle(rng, content, others)
        case ".npz" | ".pth" | ".ckpt":
            return changed_zip(rng, content, others)
        case ".safetensors":
            return changed_safetensors(rng, content)
        case ".parquet":
            return changed_parquet(rng, content)
        case ".png":
            return changed_png(rng, content, others)
    return changed_bytes(rng, content, others)
