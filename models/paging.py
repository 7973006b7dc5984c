"""Arrays in files that may be larger than memory."""

import mmap
import os
import tempfile

import numpy as np
from numpy.typing import NDArray


def on_disk(shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return zeros in a file without a name in the folder for temporary files; it goes when nobody has the array.

    Raises:
        OSError: there is no room for it.
    """
    size = 4 * int(np.prod(shape))
    with tempfile.TemporaryFile() as file:
        if hasattr(os, "posix_fallocate") and size:
            os.posix_fallocate(file.fileno(), 0, size)  # else a full disk would end the process in writing
        file.truncate(max(size, 1))
        found: NDArray[np.float32] = np.memmap(file, np.float32, "r+", shape=shape)
        return found


def release(*maps: NDArray[np.generic]) -> None:
    """Let go of the pages of memory maps; they stay in their files. Does nothing to other arrays.

    Pages that were read or written count as memory of this process until then.
    """
    for each in maps:
        file: object = each.base
        if isinstance(file, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
            file.madvise(mmap.MADV_DONTNEED)
