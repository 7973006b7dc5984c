"""Tells a file that was cut off by what its container announces, which a decoder passes over in silence."""

import struct
from pathlib import Path

from pipeline.contract.errors import BrokenVideo

BOX_TYPES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"styp", b"sidx")
INNER_TYPES = (*BOX_TYPES, b"moof", b"mfra", b"meta", b"udta", b"uuid", b"emsg", b"prft", b"ssix", b"pdin")
"""Boxes that may follow; what has another name behind index and pictures is no box."""


def check_whole(path: Path) -> None:
    """Walk the top-level boxes of an MP4 file (ISO/IEC 14496-12, 4.2); other containers are passed over.

    Cameras write notes of their own behind the last box: once index and pictures are there, they are nobody's concern.

    Raises:
        BrokenVideo: a box reaches beyond the end of the file.
    """
    size, place, seen = path.stat().st_size, 0, set[bytes]()
    with path.open("rb") as file:
        while place + 8 <= size:
            file.seek(place)
            length, kind = struct.unpack(">I4s", file.read(8))
            if place == 0 and kind not in BOX_TYPES:
                return
            if length == 1:
                extended = file.read(8)
                length = int.from_bytes(extended, "big") if len(extended) == 8 else size
            if length == 0:
                return
            if length < 8 or place + length > size:
                if kind not in INNER_TYPES and seen >= {b"moov", b"mdat"}:
                    return
                raise BrokenVideo(f"{path.name} is cut off: {kind!r} ends at {place + length} of {size} bytes")
            place, seen = place + length, seen | {kind}
