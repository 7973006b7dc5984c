"""Gathers finished videos into the dataset: an index with one row a frame, and a summary of what is in and what is not.

Only what changed is looked at: videos whose lock was held, or whose failure was noted, since the last time
(``store/changes.py``), and those that are new. What is known of the others lies beside the index.
"""

import hashlib
import logging
import re
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.contract.errors import ChangedSinceIndexed, CorruptStore, VideoError, VideoLocked
from pipeline.dataset.card import write_card
from pipeline.dataset.contents import (
    class_statistics,
    frames_by_split,
    keep_contents,
    kept_contents,
    merged,
    read_contents,
    totals,
    write_contents,
)
from pipeline.dataset.index_writer import IndexWriter, Written
from pipeline.dataset.known import (
    KNOWN,
    KnownVideos,
    judgement_table,
    know,
    look,
    still_known,
    with_unread,
    write_known,
)
from pipeline.dataset.selection import EVERYTHING, JUDGEMENTS, Judged, Selection, WantedVideos, judge
from pipeline.dataset.split import ROWS_AT_ONCE, TRAIN, VALIDATION
from pipeline.dataset.tables import replaced, system_memory
from pipeline.dataset.turns import writing
from pipeline.settings import DatasetSettings
from pipeline.sources.catalog.catalog import Catalog
from pipeline.stages.damage import examined
from pipeline.stages.failures import record_failure
from pipeline.store.changes import Noted, changes_of
from pipeline.store.index import (
    SHOWN,
    DatasetSummary,
    LeftOutCount,
    LeftOutEntry,
    read_summary,
    write_summary,
)
from pipeline.store.store import Store
from pipeline.store.video import VideoStore

_log = logging.getLogger(__name__)


def build_dataset(
    store: Store, settings: DatasetSettings, asked: Selection = EVERYTHING, catalog: Catalog | None = None
) -> DatasetSummary:
    """Write the index and the summary of the finished videos that are asked for, as far as anything has changed.

    store: of the dataset; processes and machines that write it take turns. settings: split, filters. asked: which
    sources and settings of stages hold; by default every finished video is taken in. catalog: of the store, by default
    as it is now.

    Raises:
        DiskFull: no space; the dataset is as it was.
        CorruptStore: the catalog does not read back.
        SettingsError: the sources cannot be understood.
        LeaseLost: this machine stood still so long that another one writes the dataset.
    """
    if catalog is None:
        catalog = Catalog(store, is_steady=True)
    with system_memory():
        unchanged = _unchanged(store.mirrored(("dataset",)), catalog, settings, asked)
        if unchanged is not None:
            return unchanged
        with writing(store) as ours:
            changes = changes_of(ours)
            taken = changes.take()
            summary = _built(ours, catalog, changes, settings, asked, taken)
            changes.done(taken)
    return summary


def _unchanged(store: Store, catalog: Catalog, settings: DatasetSettings, asked: Selection) -> DatasetSummary | None:
    """Return the summary where all that a refresh would write is there already, for which it needs no turn."""
    known = still_known(store, settings.filters, asked)
    if known is None:
        return None
    earlier, before = earlier_summary(store), kept_contents(store)
    if earlier is None or before is None:
        return None
    judged = judge(known.finished(), catalog, settings, asked)
    if _changed(before, judged.wanted, frozenset()):
        return None
    known = _with_judgements(known, judged)
    summary = _summary(_version(judged.wanted, settings), before, known.left_out, ())
    return earlier if known.stored and _same(earlier, summary) else None


def _built(
    store: Store,
    catalog: Catalog,
    changes: Noted,
    settings: DatasetSettings,
    asked: Selection,
    taken: AbstractSet[str],
) -> DatasetSummary:
    is_first, earlier, before = not store.exists(*KNOWN), earlier_summary(store), read_contents(store)
    known = know(store, changes, settings.filters, asked, taken)
    judged = judge(known.finished(), catalog, settings, asked)
    version = _version(judged.wanted, settings)
    written, contents = _indexed(store, settings, judged.wanted, before, known, version)
    if written.unreadable:
        known = look(store, known, written.unreadable.keys(), settings.filters, asked)
        judged = judge(known.finished(), catalog, settings, asked)
        judged.wanted = judged.wanted.without(written.unreadable)
        version = _version(judged.wanted, settings)
    known = _with_judgements(known, judged)
    known = with_unread(
        store, known, {key: error for key, error in written.unreadable.items() if not isinstance(error, CorruptStore)}
    )
    write_known(store, changes, known, settings.filters, asked)
    notes = _moved(before, judged.wanted) if is_first and earlier else ()
    summary = _summary(version, contents, known.left_out, notes)
    if earlier is not None and _same(earlier, summary):
        return earlier
    write_summary(store, summary)
    write_card(store, summary, _described(judged, mixed=settings.mixed))
    return summary


def _described(judged: Judged, *, mixed: bool) -> list[str]:
    """Return the videos whose weights tell those of all: the first, or every one where they may differ."""
    ids = sorted(judged.wanted.fingerprints)
    return ids if mixed else ids[:1]


def earlier_summary(store: Store) -> DatasetSummary | None:
    """Return the summary as it was; one that does not read back is as good as none."""
    try:
        return read_summary(store)
    except CorruptStore:
        return None


def _indexed(
    store: Store,
    settings: DatasetSettings,
    wanted: WantedVideos,
    before: pa.Table | None,
    known: KnownVideos,
    version: str,
) -> tuple[Written, pa.Table]:
    """Bring the index up to date; return what was written and what the index holds now."""
    changed = None if before is None else _changed(before, wanted, known.looked_at)
    if before is not None and not changed:
        keep_contents(store, before)
        return Written(), before
    written = IndexWriter(store, wanted, known.looked_at if before is not None else set(), settings.filters).write(
        changed, version
    )
    for video_id, error in written.unreadable.items():
        written.unreadable[video_id] = _examined(store.video(video_id), wanted.fingerprints[video_id], error)
    contents = merged(before, wanted.fingerprints.keys() - written.unreadable.keys(), written.contents)
    write_contents(store, contents)
    return written, contents


def _examined(video: VideoStore, fingerprint: str, error: VideoError) -> VideoError:
    """Return what is to be said of a video that does not read back; damage is moved aside, so that it is made again."""
    if not isinstance(error, CorruptStore):
        return error
    try:
        with video.locked():
            said = examined(video, error)
            if isinstance(said, CorruptStore):
                record_failure(video, "dataset", re.split("[-@]", fingerprint)[0], said)
            return said
    except VideoLocked:
        return ChangedSinceIndexed(f"{error}; another process works on it, so it is looked at again")
    except VideoError as other:
        return other


def _changed(before: pa.Table, wanted: WantedVideos, looked_at: AbstractSet[str]) -> set[str]:
    """Return the videos whose rows in the index may not be what they should."""
    fingerprints, splits = wanted.fingerprints, wanted.splits
    changed, held = set(looked_at & fingerprints.keys()), 0
    for batch in before.select(["video_id", "fingerprint", "split"]).to_batches(max_chunksize=ROWS_AT_ONCE):
        for video_id, fingerprint, split in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            held += video_id in fingerprints
            if fingerprints.get(video_id) != fingerprint or splits.get(video_id) != split:
                changed.add(video_id)
    if held < len(fingerprints):
        changed |= fingerprints.keys() - set(before["video_id"].to_pylist())
    return changed


def _version(wanted: WantedVideos, settings: DatasetSettings) -> str:
    digest = hashlib.sha256(str(settings.validation_share).encode())
    for video_id, fingerprint in wanted.fingerprints.items():
        side = f" {wanted.splits[video_id]}" if video_id in wanted.grouped else ""
        digest.update(f"{video_id} {fingerprint}{side}\n".encode())
    return digest.hexdigest()[:12]


def _with_judgements(known: KnownVideos, judged: Judged) -> KnownVideos:
    """Return what is known with why finished videos are left out, in place of why they were."""
    before = known.left_out
    by_rule = pc.and_(
        pc.and_(pc.equal(before["stage"], "dataset"), pc.is_null(before["clip_id"])),
        pc.is_in(before["code"], pa.array(JUDGEMENTS)),
    )
    if not judged.left_out and not pc.any(by_rule).as_py():
        return known
    after = replaced(before.filter(pc.invert(by_rule)), set(), judgement_table(judged.left_out))
    return KnownVideos(known.videos, after, known.looked_at, known.stored and after.equals(before))


def _moved(before: pa.Table | None, wanted: WantedVideos) -> tuple[str, ...]:
    """Say how many videos are on another side of the split than release 0.2, which drew by video, put them."""
    if before is None:
        return ()
    held = zip(before["video_id"].to_pylist(), before["split"].to_pylist(), strict=True)
    moved = sum(wanted.splits.get(key, split) != split for key, split in held)
    if not moved:
        return ()
    said = (
        f"the split now keeps videos of one uploader, listing or folder together: {moved} of {before.num_rows} videos "
        "changed sides; networks trained before have seen what is now in validation"
    )
    _log.warning(said)
    return (said,)


def _summary(version: str, contents: pa.Table, left_out: pa.Table, notes: tuple[str, ...]) -> DatasetSummary:
    counted = left_out.group_by(["stage", "code"]).aggregate([([], "count_all")])
    counts = (LeftOutCount(stage=row["stage"], code=row["code"], count=row["count_all"]) for row in counted.to_pylist())
    return DatasetSummary(
        version=version,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        **totals(contents),
        frames_by_split={name: frames_by_split(contents, name) for name in (TRAIN, VALIDATION)},
        classes=class_statistics(contents),
        left_out=tuple(LeftOutEntry(**row) for row in left_out.slice(0, SHOWN).to_pylist()),
        left_out_counts=tuple(sorted(counts, key=lambda found: (found.stage, found.code))),
        notes=notes,
    )


def _same(earlier: DatasetSummary, summary: DatasetSummary) -> bool:
    """Tell whether nothing changed; summaries of release 0.2 count nothing of what was left out."""
    told = {"created", "notes"} if earlier.left_out_counts else {"created", "notes", "left_out_counts"}
    return earlier.model_dump(exclude=told) == summary.model_dump(exclude=told)
