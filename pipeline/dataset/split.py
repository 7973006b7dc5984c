"""On which side of the split a video falls: all that may show the same house on one side, whatever is added later.

Videos of one uploader go together; where none is known, those of one listing, or the files of one folder; else a video
goes by itself, as every rendered tour does, which is a house of its own. The side is drawn from the name of the group
alone, so that it stays as videos are added. A video that shows much of what another one shows would join two groups:
where these fall on different sides it is left out.
"""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.sources.catalog.catalog import Catalog

TRAIN, VALIDATION = "train", "validation"
COLUMNS = ("video_id", "origin", "source", "uploader", "state", "duplicate_of")


class Placed(NamedTuple):
    """Where a video of the catalog belongs: its group, and the earlier video that it shows much of, empty for none."""

    group: str
    state: str
    alike: str


def group_of(video_id: str, origin: str, listed_by: str, uploader: str) -> str:
    """Return the name of the group that a video goes with; ``listed_by`` is empty where the sources name it itself."""
    if origin.startswith("tour://"):
        return video_id
    uploader = " ".join(uploader.casefold().split())
    if uploader:
        return f"uploader {uploader}"
    if listed_by:
        return f"listing {listed_by}"
    return video_id if "://" in origin else f"folder {PurePath(origin).parent}"


def split_of(group: str, validation_share: float) -> str:
    """Return 'validation' or 'train'; depends on the group's name alone."""
    draw = int.from_bytes(hashlib.sha256(group.encode()).digest()[:8], "big") / 2**64
    return VALIDATION if draw < validation_share else TRAIN


def placed_videos(catalog: Catalog, video_ids: Sequence[str]) -> Iterator[tuple[str, Placed]]:
    """Yield those of some videos that a catalog knows, with where they belong."""
    rows = catalog.table(COLUMNS)
    rows = rows.filter(pc.is_in(rows["video_id"], pa.array(video_ids, pa.string())))
    for batch in rows.to_batches():
        for video_id, origin, source, uploader, state, alike in zip(
            *(batch[name].to_pylist() for name in COLUMNS), strict=True
        ):
            listed_by = source if source != origin else ""
            yield video_id, Placed(group_of(video_id, origin, listed_by, uploader), state, alike)
