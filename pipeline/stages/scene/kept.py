"""Clips that stand upright wait on disk until all of a video have, since they find their scales together."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.array_files import read_npz
from pipeline.contract.records import Reconstruction

_ARRAYS = ("intrinsics", "camera_to_world", "depth", "confidence", "registered")
_NUMBERS = ("log_scale", "log_scale_sigma")


def keep(folder: Path, clip_id: int, cleaned: Reconstruction, guessed: NDArray[np.bool_]) -> None:
    """Write a clip's reconstruction, to the bit, and its guessed pixels (n, h, w)."""
    arrays = {name: np.asarray(getattr(cleaned, name)) for name in (*_ARRAYS, *_NUMBERS)}
    with (folder / f"{clip_id}.npz").open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays, guessed=guessed)


def kept(folder: Path, clip_id: int) -> tuple[Reconstruction, NDArray[np.bool_]]:
    """Return what ``keep`` was given."""
    arrays = read_npz(folder / f"{clip_id}.npz")
    intrinsics, camera_to_world, depth, confidence, registered = (arrays[name] for name in _ARRAYS)
    log_scale, sigma = (float(arrays[name]) for name in _NUMBERS)
    found = Reconstruction(intrinsics, camera_to_world, depth, confidence, registered)
    return replace(found, log_scale=log_scale, log_scale_sigma=sigma), arrays["guessed"]
