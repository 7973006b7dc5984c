"""The sides of pictures that show nothing: upright films are kept whole, between black columns."""

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Images


def shown_columns(rgb: Images) -> slice:
    """Return the columns of a clip's pictures (n, h, w, 3) between those at the sides that are black in all of them.

    Black is zero in every channel: cameras and compressed bars have noise. All columns where nothing is shown at all.
    """
    held = np.flatnonzero(rgb.any(axis=(0, 1, 3)))
    return slice(int(held[0]), int(held[-1]) + 1) if len(held) else slice(0, rgb.shape[2])


def shown_share(rgb: Images, width: int) -> NDArray[np.bool_]:
    """Tell which columns (width,) of arrays beside a clip's pictures (n, h, w, 3) hold what is shown: bool.

    Both have the same edges; a column that lies partly over a black one shows nothing.
    """
    columns, scale = shown_columns(rgb), width / rgb.shape[2]
    at = np.arange(width)
    return np.asarray((at >= columns.start * scale - 1e-6) & (at + 1 <= columns.stop * scale + 1e-6))
