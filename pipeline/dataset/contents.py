"""What the index holds of every video: ``dataset/contents.parquet``, one row a video, from which totals are taken.

It is written after the index and names the writing that it belongs to; where that is not the index that lies there, it
is made again from the index.
"""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.contract.classes import COUNTED_CLASSES, SemanticClass
from pipeline.contract.errors import CorruptStore
from pipeline.dataset.tables import replaced, write_large
from pipeline.store.index import CLASS_COLUMNS, ClassStatistics, index_files, is_index, with_all_columns
from pipeline.store.store import Store

CONTENTS = ("dataset", "contents.parquet")
WRITTEN = b"written"
ROWS_AT_ONCE = 65_536
_FRAMES_WITH = tuple(f"frames_with_{c.name.lower()}" for c in COUNTED_CLASSES)
_COUNTS = ("clips", "frames", *CLASS_COLUMNS, *_FRAMES_WITH)
CONTENTS_SCHEMA = pa.schema(
    [
        ("video_id", pa.string()),
        ("fingerprint", pa.string()),
        ("split", pa.string()),
        *((name, pa.int64() if name in CLASS_COLUMNS else pa.int32()) for name in _COUNTS),
    ]
)
_READ = ("video_id", "fingerprint", "split", "clip_id", *CLASS_COLUMNS)


def read_contents(store: Store) -> pa.Table | None:
    """Return what the index holds, by video, or None where there is none or it does not read back."""
    try:
        listed = index_files(store)
        if not listed.files:
            return None
        kept = _kept(store, _writing(store))
        if kept is None:
            kept = pa.concat_tables(table for part in listed.files for table in _counted(store, part.name))
    except (CorruptStore, pa.ArrowException, OSError):
        return None
    return kept


def kept_contents(store: Store) -> pa.Table | None:
    """Return what is kept of the index that lies there, or None where nothing is, or what is of another or damaged."""
    with suppress(CorruptStore, pa.ArrowException, OSError):
        return _kept(store, _writing(store)) if index_files(store).files else None
    return None


def keep_contents(store: Store, contents: pa.Table) -> None:
    """Keep what the index holds, where that is not kept already."""
    if _kept(store, _writing(store)) is None:
        write_contents(store, contents)


def write_contents(store: Store, contents: pa.Table) -> None:
    """Keep what the index holds that lies in the store."""
    metadata = {WRITTEN: _writing(store)}
    write_large(store, contents.replace_schema_metadata(metadata), *CONTENTS)


def contents_of(rows: pa.Table) -> pa.Table:
    """Return a row for every video of rows of the index, which lie together."""
    starts = starts_of(rows)
    counts = np.stack([rows[name].to_numpy() for name in CLASS_COLUMNS], axis=1).astype(np.int64)
    ends = np.r_[starts[1:], rows.num_rows]
    clips = np.r_[True, np.diff(rows["clip_id"].to_numpy()) != 0]
    clips[starts] = True
    first = rows.select(["video_id", "fingerprint", "split"]).take(starts)
    numbers = np.column_stack(
        [
            np.add.reduceat(clips.astype(np.int64), starts),
            ends - starts,
            np.add.reduceat(counts, starts),
            np.add.reduceat((counts > 0).astype(np.int64), starts),
        ]
    )
    return pa.table([*first.columns, *(pa.array(column) for column in numbers.T)], CONTENTS_SCHEMA.names).cast(
        CONTENTS_SCHEMA
    )


def without_rows(video_id: str, fingerprint: str, split: str) -> pa.Table:
    """Return the row of a video of which no frame is in the index."""
    named = {"video_id": video_id, "fingerprint": fingerprint, "split": split}
    return pa.Table.from_pylist([{**dict.fromkeys(_COUNTS, 0), **named}], CONTENTS_SCHEMA)


def merged(before: pa.Table | None, wanted: AbstractSet[str], made: Mapping[str, pa.Table]) -> pa.Table:
    """Return the contents of ``wanted`` videos: those ``made`` now, the others as before."""
    kept = before if before is not None else CONTENTS_SCHEMA.empty_table()
    gone = {key for key in kept["video_id"].to_pylist() if key not in wanted or key in made}
    return replaced(kept, gone, pa.concat_tables([CONTENTS_SCHEMA.empty_table(), *made.values()]))


def class_statistics(contents: pa.Table) -> dict[str, ClassStatistics]:
    """Return how often every class occurs; voxels without a name have a row where there are any."""
    names = (c.name.lower() for c in COUNTED_CLASSES)
    found = {
        name: ClassStatistics(voxels=_sum(contents, voxels), frames=_sum(contents, frames))
        for name, voxels, frames in zip(names, CLASS_COLUMNS, _FRAMES_WITH, strict=True)
    }
    unnamed = SemanticClass.UNNAMED.name.lower()
    return {name: counted for name, counted in found.items() if name != unnamed or counted.voxels}


def totals(contents: pa.Table) -> dict[str, int]:
    """Return the numbers of videos with frames, of clips and of frames."""
    videos = int(pc.sum(pc.greater(contents["frames"], 0)).as_py() or 0)
    return {"videos": videos, "clips": _sum(contents, "clips"), "frames": _sum(contents, "frames")}


def frames_by_split(contents: pa.Table, split: str) -> int:
    """Return the number of frames in a split."""
    return _sum(contents.filter(pc.equal(contents["split"], split)), "frames")


def starts_of(rows: pa.Table) -> NDArray[np.int64]:
    """Return the first row of every video."""
    ids = rows["video_id"].combine_chunks()
    changed = pc.not_equal(ids.slice(1), ids.slice(0, len(ids) - 1)).to_numpy(zero_copy_only=False)
    return np.flatnonzero(np.r_[True, changed]) if len(ids) else np.zeros(0, np.int64)


def _counted(store: Store, name: str) -> Iterator[pa.Table]:
    """Yield what a file of the index holds, by video; a video that two batches share is counted whole."""
    rest: pa.Table | None = None
    with store.open_parquet("dataset", name) as file:
        if not is_index(file.schema_arrow) or "made" not in file.schema_arrow.names:  # all of release 0.1 is read again
            raise CorruptStore(f"{name} has other columns than an index")
        held = [name for name in _READ if name in file.schema_arrow.names]
        for batch in file.iter_batches(batch_size=ROWS_AT_ONCE, columns=held):
            rows = with_all_columns(pa.Table.from_batches([batch]), _READ)
            rows = pa.concat_tables([rest, rows]) if rest is not None else rows
            last = int(starts_of(rows)[-1])
            if last:
                yield contents_of(rows.slice(0, last))
            rest = rows.slice(last)
    yield contents_of(rest) if rest is not None else CONTENTS_SCHEMA.empty_table()


def _kept(store: Store, written: bytes) -> pa.Table | None:
    """Return what is kept of the index that ``written`` names, or None where that is not what is kept."""
    if store.exists(*CONTENTS):
        with suppress(CorruptStore):
            kept = store.read_table(*CONTENTS)
            if kept.schema.equals(CONTENTS_SCHEMA) and (kept.schema.metadata or {}).get(WRITTEN) == written:
                return kept.replace_schema_metadata()
    return None


def _writing(store: Store) -> bytes:
    """Return the name of the writing that the index is from; empty for one of release 0.2."""
    listed = index_files(store)
    if listed.written:
        return listed.written.encode()
    with store.open_parquet("dataset", listed.files[0].name) as file:
        return bytes((file.metadata.metadata or {}).get(WRITTEN, b""))


def _sum(table: pa.Table, column: str) -> int:
    return int(pc.sum(table[column]).as_py() or 0)
