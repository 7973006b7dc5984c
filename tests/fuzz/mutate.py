"""Inputs made of true ones; a target's name and one integer say exactly which."""

import random
from collections.abc import Callable, Mapping, Sequence
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


MOST = 200_000
"""Bytes of an input, unless the true one has more."""


def mutated(target: str, seed: int, true: Mapping[str, bytes]) -> tuple[str, bytes]:
    """Return which of the true files is replaced for the input ``seed`` of a target, and by what."""
    rng = random.Random(f"{target} {seed}")
    name = rng.choice(sorted(true))
    others = [content for other, content in true.items() if PurePath(other).suffix == PurePath(name).suffix]
    if rng.random() < WITH_STRUCTURE:
        content = _with_structure(rng, name, true[name], others)
    else:
        content = changed_bytes(rng, true[name], others)
    return name, content[: max(MOST, len(true[name]))]


def _with_structure(rng: random.Random, name: str, content: bytes, others: list[bytes]) -> bytes:
    change = _BY_SUFFIX.get(PurePath(name).suffix, changed_bytes)
    return change(rng, content, others)


Change = Callable[[random.Random, bytes, Sequence[bytes]], bytes]


def _alone(change: Callable[[random.Random, bytes], bytes]) -> Change:
    return lambda rng, content, _others: change(rng, content)


_BY_SUFFIX: dict[str, Change] = {
    ".json": _alone(changed_json),
    ".yaml": _alone(changed_yaml),
    ".xml": _alone(changed_xml),
    ".csv": _alone(changed_lines),
    ".txt": _alone(changed_lines),
    ".pkl": changed_pickle,
    ".npz": _alone(changed_zip),
    ".pth": _alone(changed_zip),
    ".ckpt": _alone(changed_zip),
    ".safetensors": _alone(changed_safetensors),
    ".parquet": _alone(changed_parquet),
    ".png": changed_png,
}
