"""Which results every video had when the dataset was last refreshed, so that nobody else has to read their notes."""

import json

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.contract.errors import CorruptStore
from pipeline.dataset.known import HOLDS_WHILE, KNOWN, KNOWN_SCHEMA
from pipeline.store.changes import changes_of
from pipeline.store.store import Store

_COLUMNS = ["video_id", "mark"]


def known_marks(store: Store) -> pa.Table:
    """Return ``video_id`` and ``mark`` of the videos of which no change is noted since a refresh looked at them.

    Whatever was asked for then; none where there was no refresh, or notes of changes were lost since. In a bucket that
    is two lists and two files, however many videos there are.
    """
    changes = changes_of(store)
    pending = changes.pending()  # first: a refresh drops notes when what follows from them has been written
    dataset, nothing = store.mirrored(("dataset",)), KNOWN_SCHEMA.empty_table().select(_COLUMNS)
    if not dataset.exists(*KNOWN):
        return nothing
    try:
        known = dataset.read_table(*KNOWN)
    except (CorruptStore, FileNotFoundError):
        return nothing
    holds = (known.schema.metadata or {}).get(HOLDS_WHILE, b"")
    same_notes = holds.startswith(json.dumps([changes.epoch()]).removesuffix("]").encode())
    if not same_notes or not known.schema.equals(KNOWN_SCHEMA):
        return nothing
    changed = pc.is_in(known["video_id"], pa.array(sorted(pending), pa.string()))
    return known.select(_COLUMNS).filter(pc.invert(changed)).replace_schema_metadata()
