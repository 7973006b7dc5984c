"""Recognises a tour that was uploaded before: re-encoded, scaled, cropped, stamped with a logo, sped up.

A video is described by the perceptual hashes of frames taken at equal shares of its length, which a change of speed
leaves in place.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from pipeline.catalog.parts import Parts
from pipeline.media import frames_near
from pipeline.perceptual import BITS, CROPS, SAME_PICTURE, Hashes, found_again, picture_hashes, stacked
from pipeline.store import Store

FRAMES = 24
FOLDER = "fingerprints"
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
    """The hashes of all videos of a store."""

    def __init__(self, store: Store) -> None:
        self._parts = Parts(store, FOLDER, _SCHEMA, "video_id")

    def add(self, video_id: str, hashes: Hashes) -> None:
        """Keep the hashes of a video."""
        with self._parts.locked():
            row = pa.table({"video_id": [video_id], "hashes": [hashes.tobytes()]}, _SCHEMA)
            self._parts.append(row, self._parts.listing().next_number)

    def most_alike(self, hashes: Hashes, among: set[str], settings: DuplicateSettings) -> Match | None:
        """Return the video ``among`` some that shows the same, or None."""
        if len(hashes) < settings.frames_min:
            return None
        table = self._parts.table(_SCHEMA.names)
        best: Match | None = None
        for video_id, content in zip(table["video_id"].to_pylist(), table["hashes"].to_pylist(), strict=True):
            other = np.frombuffer(content, np.uint64).reshape(-1, len(CROPS))
            if video_id not in among or len(other) < settings.frames_min:
                continue
            share = found_again(hashes, other, settings.distance)
            if share >= settings.share and (best is None or share > best.share):
                best = Match(video_id, share)
        return best
