"""Arrays in files that may be larger than memory."""

import mmap

import numpy as np
from numpy.typing import NDArray


def release(*maps: NDArray[np.generic]) -> None:
    """Let go of the pages of memory maps; they stay in their files. Does nothing to other arrays.

    Pages that were read or written count as memory of this process until then.
    """
    for each in maps:
        file: object = each.base
        if isinstance(file, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
            file.madvise(mmap.MADV_DONTNEED)
