"""Gathers finished videos into the dataset: an index with one row a frame, and a summary of what is in and what is not.

``dataset/index.parquet`` is rewritten in one sorted pass: rows of videos that have not changed are copied from the
index before, others are read from the video's store. Memory does not grow with the number of videos.
"""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.contract.classes import COUNTED_CLASSES
from pipeline.contract.errors import ChangedSinceIndexed, CorruptStore, VideoError, VideoLocked
from pipeline.contract.records import ScaleSource
from pipeline.dataset.filters import Objection, objections
from pipeline.settings import DatasetSettings, FilterSettings
from pipeline.stages.chain import final, fingerprints_of_groups, finished, made_by
from pipeline.stages.damage import examined
from pipeline.stages.failures import last_failure
from pipeline.stages.registry import stages
from pipeline.store.atomic import disk_errors
from pipeline.store.drafts import draft_in
from pipeline.store.groups import FRAMES, OCCUPANCY, SCENE, SEMANTICS
from pipeline.store.index import (
    CLASS_COLUMNS,
    INDEX,
    INDEX_SCHEMA,
    ClassStatistics,
    DatasetSummary,
    LeftOutEntry,
    as_indexed,
    read_summary,
    write_summary,
)
from pipeline.store.rows import clip_rows, stored_clips
from pipeline.store.store import Store
from pipeline.store.video import VideoStore

_ROWS_AT_ONCE = 65_536


def build_dataset(store: Store, settings: DatasetSettings) -> DatasetSummary:
    """Write the index and the summary of all finished videos; does nothing where nothing has changed."""
    fingerprints = dict(_finished(store, settings.filters))
    version = _version(fingerprints, settings)
    left_out = tuple(_left_out(store, settings.filters))
    earlier = read_summary(store)
    if earlier and earlier.version == version and store.exists(*INDEX):
        if earlier.left_out == left_out:
            return earlier
        summary = earlier.model_copy(update={"left_out": left_out})
    else:
        tally = _write_index(store, fingerprints, settings)
        readable = {video_id: fingerprints[video_id] for video_id in fingerprints if video_id not in tally.unreadable}
        left_out = (*_left_out(store, settings.filters), *tally.unreadable.values())
        summary = tally.summary(_version(readable, settings), left_out)
    write_summary(store, summary)
    return summary


def split_of(video_id: str, validation_share: float) -> str:
    """Return 'validation' or 'train'; depends on the id alone, so that it stays as videos are added."""
    draw = int.from_bytes(hashlib.sha256(video_id.encode()).digest()[:8], "big") / 2**64
    return "validation" if draw < validation_share else "train"


class _Tally:
    """Counts over the index while it is written."""

    def __init__(self) -> None:
        self.videos = self.clips = self.frames = 0
        self.splits = {"train": 0, "validation": 0}
        self.voxels = np.zeros(len(CLASS_COLUMNS), np.int64)
        self.frames_with = np.zeros(len(CLASS_COLUMNS), np.int64)
        self.unreadable: dict[str, LeftOutEntry] = {}

    def add(self, table: pa.Table) -> None:
        """Count the rows of one video."""
        counts = np.stack([table[name].to_numpy() for name in CLASS_COLUMNS], axis=1)
        self.videos += 1
        self.clips += len(set(table["clip_id"].to_pylist()))
        self.frames += table.num_rows
        self.splits[table["split"][0].as_py()] += table.num_rows
        self.voxels += counts.sum(axis=0)
        self.frames_with += (counts > 0).sum(axis=0)

    def summary(self, version: str, left_out: tuple[LeftOutEntry, ...]) -> DatasetSummary:
        """Return the counts as a summary."""
        names = (c.name.lower() for c in COUNTED_CLASSES)
        found = zip(names, self.voxels.tolist(), self.frames_with.tolist(), strict=True)
        return DatasetSummary(
            version=version,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            videos=self.videos,
            clips=self.clips,
            frames=self.frames,
            frames_by_split=self.splits,
            classes={name: ClassStatistics(voxels=voxels, frames=frames) for name, voxels, frames in found},
            left_out=left_out,
        )


def _finished(store: Store, filters: FilterSettings) -> Iterator[tuple[str, str]]:
    """Yield the finished videos with what decides their rows: how they were made, and the filters if there are any."""
    chosen = filters.model_dump_json(exclude_none=True)
    suffix = f"-{hashlib.sha256(chosen.encode()).hexdigest()[:8]}" if filters != FilterSettings() else ""
    for video_id in store.video_ids():
        made = finished(store.video(video_id))
        if made:
            yield video_id, f"{final(made)}{suffix}"


def _version(fingerprints: dict[str, str], settings: DatasetSettings) -> str:
    digest = hashlib.sha256(str(settings.validation_share).encode())
    for video_id, fingerprint in fingerprints.items():
        digest.update(f"{video_id} {fingerprint}\n".encode())
    return digest.hexdigest()[:12]


def _left_out(store: Store, filters: FilterSettings) -> Iterator[LeftOutEntry]:
    for video_id in store.video_ids():
        video = store.video(video_id)
        failure = last_failure(video)
        if failure:
            yield LeftOutEntry(
                video_id=video_id, stage=failure.stage, clip_id=None, code=failure.code, detail=failure.detail
            )
        for name in stages():
            made = made_by(video, name)
            for item in made.left_out if made else ():
                yield LeftOutEntry(
                    video_id=video_id, stage=name, clip_id=item.clip_id, code=item.code, detail=item.detail
                )
        for clip_id, why in filtered(video, filters).items():
            yield LeftOutEntry(video_id=video_id, stage="dataset", clip_id=clip_id, code=why.code, detail=why.detail)


def filtered(video: VideoStore, filters: FilterSettings) -> dict[int, Objection]:
    """Return the clips of a finished video that the filters leave out, with the first reason."""
    if filters == FilterSettings() or not video.has_group(SEMANTICS):
        return {}
    scores = {clip.clip_id: clip.scores for clip in stored_clips(video)}
    found = {
        clip_id: next(objections(scores.get(clip_id), filters, _people(video, rows)), None)
        for clip_id, rows in clip_rows(video)
    }
    return {clip_id: why for clip_id, why in found.items() if why is not None}


def _people(video: VideoStore, rows: slice) -> float | None:
    return float(video.read(SEMANTICS, "moving", rows).mean()) if video.has_array(SEMANTICS, "moving") else None


def _write_index(store: Store, fingerprints: dict[str, str], settings: DatasetSettings) -> _Tally:
    tally = _Tally()
    with disk_errors(), draft_in(store.scratch) as draft:
        _write_tables(draft, _video_tables(store, fingerprints, settings, tally.unreadable), tally)
        store.place(draft, *INDEX)
    return tally


def _write_tables(path: Path, tables: Iterable[pa.Table], tally: _Tally) -> None:
    waiting: list[pa.Table] = []
    with closing(pq.ParquetWriter(path, INDEX_SCHEMA, compression="zstd")) as writer:
        for table in (rows for rows in tables if rows.num_rows):
            tally.add(table)
            waiting.append(table)
            if sum(t.num_rows for t in waiting) >= _ROWS_AT_ONCE:
                writer.write_table(pa.concat_tables(waiting))
                waiting.clear()
        if waiting:
            writer.write_table(pa.concat_tables(waiting))


def _video_tables(
    store: Store, fingerprints: dict[str, str], settings: DatasetSettings, unreadable: dict[str, LeftOutEntry]
) -> Iterator[pa.Table]:
    earlier = _earlier_tables(store)
    known_id, known = next(earlier, (None, None))
    for video_id, fingerprint in fingerprints.items():
        while known_id is not None and known_id < video_id:
            known_id, known = next(earlier, (None, None))
        unchanged = known is not None and known_id == video_id and known["fingerprint"][0].as_py() == fingerprint
        split = split_of(video_id, settings.validation_share)
        if known is not None and unchanged:
            yield known.set_column(INDEX_SCHEMA.get_field_index("split"), "split", pa.array([split] * known.num_rows))
            continue
        video = store.video(video_id)
        try:
            yield _frame_rows(video, split, fingerprint, settings.filters)
        except VideoError as error:
            said = _examined(video, error)
            unreadable[video_id] = LeftOutEntry(
                video_id=video_id, stage="dataset", clip_id=None, code=said.code, detail=str(said)
            )


def _examined(video: VideoStore, error: VideoError) -> VideoError:
    """Return what is to be said of a video that does not read back; damage is moved aside."""
    if not isinstance(error, CorruptStore):
        return error
    try:
        with video.locked():
            return examined(video, error)
    except VideoLocked:
        return error
    except VideoError as other:
        return other


def _earlier_tables(store: Store) -> Iterator[tuple[str | None, pa.Table]]:
    """Yield the rows of videos of the index before, as far as it can be read: what is not here is read from videos."""
    if not store.exists(*INDEX):
        return
    with suppress(CorruptStore, pa.ArrowException, OSError), store.open_parquet(*INDEX) as parquet:
        if not parquet.schema_arrow.equals(INDEX_SCHEMA):
            return
        batches = parquet.iter_batches(batch_size=_ROWS_AT_ONCE)
        pieces = (piece for batch in batches for piece in _runs(pa.Table.from_batches([batch])))
        for video_id, parts in groupby(pieces, key=lambda piece: piece[0]):
            yield video_id, pa.concat_tables([table for _, table in parts])


def _runs(table: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    ids = table["video_id"].to_numpy(zero_copy_only=False)
    starts = np.flatnonzero(np.r_[True, ids[1:] != ids[:-1]]).tolist()
    for start, stop in zip(starts, [*starts[1:], len(ids)], strict=True):
        yield str(ids[start]), table.slice(start, stop - start)


def _frame_rows(video: VideoStore, split: str, fingerprint: str, filters: FilterSettings) -> pa.Table:
    """Return the rows of a finished video; raises ``ChangedSinceIndexed`` where a stage is run again meanwhile."""
    before = finished(video)
    try:
        columns = _columns(video, filters)
    except (ValueError, IndexError):  # arrays of two different runs have different lengths
        columns = {}
    made = finished(video)
    if before is None or made != before or not columns or not fingerprint.startswith(final(made)):
        raise ChangedSinceIndexed(f"{video.video_id}: its stages are being run again: build the dataset after that")
    rows = len(columns["row"])
    noted = {"fingerprint": fingerprint, "split": split, "made": as_indexed(fingerprints_of_groups(made))}
    columns |= {name: [value] * rows for name, value in noted.items()}
    arrays = [pa.array(columns[field.name]).cast(field.type) for field in INDEX_SCHEMA]
    return pa.Table.from_arrays(arrays, schema=INDEX_SCHEMA)


def _columns(video: VideoStore, filters: FilterSettings) -> dict[str, Any]:
    kept = ~np.isin(video.read(FRAMES, "clip_id"), list(filtered(video, filters)))
    rows = np.flatnonzero(video.read(SCENE, "registered") & kept)
    frames = {name: video.read(FRAMES, name)[rows] for name in ("clip_id", "frame_index", "time_s", "indoor_score")}
    scene = {name: video.read(SCENE, name)[rows] for name in ("depth_share", "up_confidence", "ceiling_height")}
    sources = [ScaleSource(code).name.lower() for code in video.read(SCENE, "scale_source")[rows].tolist()]
    counts = video.read(OCCUPANCY, "class_counts")[rows]
    return {
        "video_id": [video.video_id] * len(rows),
        "row": rows,
        **frames,
        **scene,
        "scale_source": sources,
        **dict(zip(CLASS_COLUMNS, counts.T, strict=True)),
    }
