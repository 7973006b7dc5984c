"""Turns and mirrors pictures as their display matrix says: cameras write pictures as their sensors lie."""

import struct
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame
from numpy.typing import NDArray


class Orientation(NamedTuple):
    """One of the eight ways to lay a picture: rows and columns are swapped first, then left and right, up and down."""

    transposed: bool = False
    mirrored: bool = False
    upside_down: bool = False

    @classmethod
    def of(cls, frame: VideoFrame) -> "Orientation":
        """Return what the display matrix of a frame says, ``[[a, b], [c, d]]`` of ISO/IEC 14496-12, 6.2.2.

        The column x and row y of a pixel are shown at column ``a x + c y`` and row ``b x + d y``.
        """
        held: Iterable[Any] = frame.side_data  # what PyAV's stubs say is another thing
        matrix = next((bytes(found) for found in held if found.type == Type.DISPLAYMATRIX), None)
        if matrix is None or len(matrix) != struct.calcsize("9i"):
            return cls()
        a, b, _, c, d, *_ = struct.unpack("9i", matrix)
        if abs(b) + abs(c) > abs(a) + abs(d):
            return cls(transposed=True, mirrored=c < 0, upside_down=b < 0)
        return cls(mirrored=a < 0, upside_down=d < 0)

    def upright(self, picture: NDArray[Any]) -> NDArray[Any]:
        """Return a picture (h, w, c) as it is to be looked at."""
        turned = picture.swapaxes(0, 1) if self.transposed else picture
        turned = turned[:, ::-1] if self.mirrored else turned
        return np.ascontiguousarray(turned[::-1] if self.upside_down else turned)
