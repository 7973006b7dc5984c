"""Recognises a tour that was uploaded before: re-encoded, scaled, cropped, stamped with a logo, sped up.

A video is described by the perceptual hashes of frames taken at equal shares of its length, which a change of speed
leaves in place.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline.contract.errors import CorruptStore
from pipeline.media import frames_near
from pipeline.sources.catalog.keyed_table import KeyedTable, Result
from pipeline.sources.catalog.listing import Listing
from pipeline.sources.duplicates.lookalikes import Lookalikes
from pipeline.sources.duplicates.perceptual import (
    Hashes,
    found_again,
    hashes_of,
    picture_hashes,
    stacked,
)
from pipeline.sources.duplicates.settings import FRAMES, DuplicateSettings
from pipeline.store.files import Files

FOLDER = "fingerprints"
VIDEOS_PER_FILE = 2**16
"""Of some 4 kB each: a merge holds a quarter of a gigabyte in memory."""

CANDIDATES = 64
"""Videos compared picture by picture: those that share most bands."""
_SCHEMA = pa.schema([("video_id", pa.string()), ("hashes", pa.binary())])


@dataclass(frozen=True)
class Lookalike:
    """The video that is most like another, and the share of frames found again in it."""

    video_id: str
    share: float


def video_hashes(path: Path) -> Hashes:
    """Return the hashes of a video; raises ``BrokenVideo``."""
    shares = (np.arange(FRAMES) + 0.5) / FRAMES
    return stacked([picture_hashes(frame) for frame in frames_near(path, shares)])


class Fingerprints:
    """The hashes of all videos of a store, in Parquet, and an index over them in scratch that follows."""

    def __init__(self, files: Files) -> None:
        self._hashes = KeyedTable(files, FOLDER, _SCHEMA, "video_id", rows_per_file=VIDEOS_PER_FILE)
        self._index = Lookalikes(files.make_scratch() / f"{FOLDER}.sqlite")

    def change(self, work: Callable[[], Result]) -> Result:
        """Have what ``work`` finds alike hold until what it adds is written; it may be called again."""
        return self._hashes.change(work)

    def add(self, video_id: str, hashes: Hashes) -> None:
        """Keep the hashes of a video."""
        self._hashes.change(lambda: self._add(video_id, hashes))

    def _add(self, video_id: str, hashes: Hashes) -> None:
        followed = self._index.follows() == _version(self._hashes.listing())
        row = pa.table({"video_id": [video_id], "hashes": [hashes.tobytes()]}, _SCHEMA)
        self._hashes.append(row, self._hashes.listing().next_number)
        if followed:
            self._hashes.follow(lambda after: self._index.add([(video_id, hashes)], _version(after)))

    def alike(self, hashes: Hashes, settings: DuplicateSettings) -> list[Lookalike]:
        """Return the videos that show the same, the most alike first."""
        if len(hashes) < settings.frames_min:
            return []
        self._hashes.change(self._catch_up)
        compared = [
            Lookalike(video_id, found_again(hashes, other, settings.distance))
            for video_id, other in self._index.candidates(hashes, CANDIDATES)
            if len(other) >= settings.frames_min
        ]
        return sorted((match for match in compared if match.share >= settings.share), key=lambda match: -match.share)

    def _catch_up(self) -> None:
        """Enter what other machines have added: files that the index has followed do not change."""
        listing, followed = self._hashes.listing(), self._index.follows()
        if followed == _version(listing):
            return
        fresh = [part for part in listing.parts if part.name not in followed.split()]
        videos = (video for part in fresh for video in _videos(self._hashes.rows_of(part)))
        self._index.add(videos, _version(listing))


def _version(listing: Listing) -> str:
    return " ".join(part.name for part in listing.parts)


def _videos(table: pa.Table) -> Iterator[tuple[str, Hashes]]:
    for batch in table.to_batches():
        for video_id, content in zip(batch["video_id"], batch["hashes"], strict=True):
            try:
                yield video_id.as_py(), hashes_of(content.as_py())
            except (ValueError, TypeError) as error:
                message = f"the fingerprints of {video_id} are none: delete the folder {FOLDER}, or restore it"
                raise CorruptStore(message) from error
