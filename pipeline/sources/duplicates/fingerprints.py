"""Recognises a tour that was uploaded before: re-encoded, scaled, cropped, stamped with a logo, sped up.

A video is described by the perceptual hashes of frames taken at equal shares of its length, which a change of speed
leaves in place.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from pipeline.media import frames_near
from pipeline.sources.catalog.parts import Parts
from pipeline.sources.duplicates.lookalikes import Lookalikes
from pipeline.sources.duplicates.perceptual import (
    BITS,
    SAME_PICTURE,
    Hashes,
    found_again,
    hashes_of,
    picture_hashes,
    stacked,
)
from pipeline.store.files import Store

FRAMES = 24
FOLDER = "fingerprints"
CANDIDATES = 64
"""Videos compared picture by picture: those that share most bands."""
_SCHEMA = pa.schema([("video_id", pa.string()), ("hashes", pa.binary())])


class DuplicateSettings(BaseModel):
    """When two videos, or two clips of a video, show the same."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = Field(True, description="leave out videos that show what an earlier one of the catalog shows")
    distance: int = Field(
        SAME_PICTURE, ge=0, le=BITS, description="most bits of 64 in which hashes of the same picture differ"
    )
    share: float = Field(
        0.4,
        gt=0,
        le=1,
        description="least share of frames found again in the other video; measured on rendered tours: 0.71 and "
        "more between copies (re-encoded, cropped, scaled, stamped, sped up, all at once), up to 0.13 between tours",
    )
    frames_min: int = Field(6, ge=1, le=FRAMES, description="fewest frames that say something; videos with less differ")


@dataclass(frozen=True)
class Match:
    """The video that is most like another, and the share of frames found again in it."""

    video_id: str
    share: float


def video_hashes(path: Path) -> Hashes:
    """Return the hashes of a video; raises ``BrokenVideo``."""
    shares = (np.arange(FRAMES) + 0.5) / FRAMES
    return stacked([picture_hashes(frame) for frame in frames_near(path, shares)])


class Fingerprints:
    """The hashes of all videos of a store, in Parquet, and an index over them in scratch that follows."""

    def __init__(self, store: Store) -> None:
        self._parts = Parts(store, FOLDER, _SCHEMA, "video_id")
        self._index = Lookalikes(store.scratch / f"{FOLDER}.sqlite")

    def add(self, video_id: str, hashes: Hashes) -> None:
        """Keep the hashes of a video."""
        with self._parts.locked():
            followed = self._index.follows() == self._version()
            row = pa.table({"video_id": [video_id], "hashes": [hashes.tobytes()]}, _SCHEMA)
            self._parts.append(row, self._parts.listing().next_number)
            if followed:
                self._index.add([(video_id, hashes)], self._version())

    def alike(self, hashes: Hashes, settings: DuplicateSettings) -> list[Match]:
        """Return the videos that show the same, the most alike first."""
        if len(hashes) < settings.frames_min:
            return []
        self._catch_up()
        compared = [
            Match(video_id, found_again(hashes, other, settings.distance))
            for video_id, other in self._index.candidates(hashes, CANDIDATES)
            if len(other) >= settings.frames_min
        ]
        return sorted((match for match in compared if match.share >= settings.share), key=lambda match: -match.share)

    def _catch_up(self) -> None:
        with self._parts.locked():
            version = self._version()
            if self._index.follows() != version:
                self._index.add(_videos(self._parts.table(_SCHEMA.names)), version)

    def _version(self) -> str:
        return " ".join(part.name for part in self._parts.listing().parts)


def _videos(table: pa.Table) -> Iterator[tuple[str, Hashes]]:
    for batch in table.to_batches():
        for video_id, content in zip(batch["video_id"], batch["hashes"], strict=True):
            yield video_id.as_py(), hashes_of(content.as_py())
