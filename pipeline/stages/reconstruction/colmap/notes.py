"""What the user should know about the cameras of a clip, in sentences."""

import numpy as np
from numpy.typing import NDArray

from pipeline.stages.reconstruction.colmap.sparse_model import SparseModel
from pipeline.stages.reconstruction.zoom import zoom_notes


def alone_notes(alone: NDArray[np.bool_]) -> tuple[str, ...]:
    """Name the frames (n,) that found a camera but share no point with another frame."""
    if not alone.any():
        return ()
    names = ", ".join(map(str, np.flatnonzero(alone)))
    return (f"Frames that share no point with another were left out: {names} (of 0 to {len(alone) - 1}).",)


def loose_notes(loose: NDArray[np.bool_]) -> tuple[str, ...]:
    """Name the frames (n,) whose size beside the others nothing tells."""
    if not loose.any():
        return ()
    names = ", ".join(map(str, np.flatnonzero(loose)))
    return (f"Frames whose size beside the others is not sure were left out: {names} (of 0 to {len(loose) - 1}).",)


def notes_on(model: SparseModel) -> tuple[str, ...]:
    """Say in sentences what the user should know about the cameras."""
    notes = []
    count, total = int(model.registered.sum()), len(model.registered)
    if len(model.model_sizes) > 1:
        sizes = " and ".join(map(str, model.model_sizes))
        notes.append(f"The clip fell into {len(model.model_sizes)} models of {sizes} frames; the largest was kept.")
    if count < total:
        notes.append(f"{total - count} of {total} frames found no camera.")
    aspect = model.intrinsics[1, 1] / model.intrinsics[0, 0]
    if abs(aspect - 1) > 1e-6:
        notes.append(f"Pixels are not square: the vertical focal length is {aspect:.3f} times the horizontal one.")
    notes += zoom_notes(model.zoom[model.registered])
    return tuple(notes)
