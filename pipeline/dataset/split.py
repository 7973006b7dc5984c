"""On which side of the split a video falls: all that may show the same house on one side, whatever is added later.

Videos of one uploader go together; where none is known, those of one listing, or the files of one folder; else a video
goes by itself, as every rendered tour does, which is a house of its own. The side is drawn from the name of the group
alone, so that it stays as videos are added. A video that shows much of what another one shows would join two groups:
where these fall on different sides it is left out.
"""

import hashlib
from functools import lru_cache
from pathlib import PurePath

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.contract.tour_origin import TOUR_SCHEME, tour_of_video_id
from pipeline.sources.catalog.catalog import Catalog

TRAIN, VALIDATION = "train", "validation"
COLUMNS = ("video_id", "origin", "source", "uploader", "state", "duplicate_of")

ROWS_AT_ONCE = 8192


def group_of(video_id: str, origin: str, listed_by: str, uploader: str) -> str:
    """Return the name of the group that a video goes with; ``listed_by`` is empty where the sources name it itself."""
    if origin.startswith(TOUR_SCHEME):
        named = tour_of_video_id(video_id)  # the same house in another world is the same house
        return named._replace(world="easy").video_id if named else video_id
    if uploader.strip():
        return _of_uploader(uploader)
    if listed_by:
        return f"listing {listed_by}"
    return video_id if "://" in origin else f"folder {PurePath(origin).parent}"


@lru_cache(maxsize=2**16)
def _of_uploader(uploader: str) -> str:
    return f"uploader {' '.join(uploader.casefold().split())}"


@lru_cache(maxsize=2**16)
def split_of(group: str, validation_share: float) -> str:
    """Return 'validation' or 'train'; depends on the group's name alone."""
    draw = int.from_bytes(hashlib.sha256(group.encode()).digest()[:8], "big") / 2**64
    return VALIDATION if draw < validation_share else TRAIN


def placed(catalog: Catalog, video_ids: pa.Array) -> pa.Table:
    """Return what places videos, a row for each of ``video_ids``; null in what a catalog does not know."""
    rows = catalog.table(COLUMNS)
    at = pc.index_in(video_ids, rows["video_id"].combine_chunks())
    return rows.drop_columns(["video_id"]).take(at)
