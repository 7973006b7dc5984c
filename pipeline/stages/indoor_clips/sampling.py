"""Which frames of a clip a filter looks at."""

import numpy as np

from pipeline.contract.arrays import Images


def evenly_spaced(rgb: Images, most: int) -> Images:
    """Return at most ``most`` of frames (n, h, w, 3), n >= 1, evenly spaced from the first to the last."""
    chosen: Images = rgb[np.linspace(0, len(rgb) - 1, min(most, len(rgb))).round().astype(np.int64)]
    return chosen
