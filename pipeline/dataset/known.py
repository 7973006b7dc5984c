"""What is known of every video of a store, so that only those that changed are looked at: ``dataset/videos.parquet``.

A row a video: whether it is finished, with which fingerprint, and its last failure. What was left out of it lies in
``dataset/left_out.parquet``. Both hold as long as settings and code are the same and no note of a change was lost.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import islice
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.contract.errors import CorruptStore, NotReadableNow, VideoError
from pipeline.dataset.filters import filtered
from pipeline.dataset.selection import Selection
from pipeline.dataset.tables import replaced, write_large
from pipeline.settings import FilterSettings, Settings
from pipeline.stages.chain import final, finished, identity_of
from pipeline.stages.failures import Failure, last_failure
from pipeline.stages.left_out import left_out_by_stages
from pipeline.stages.run import final_fingerprint, final_fingerprints
from pipeline.store.changes import Noted, changes_of
from pipeline.store.index import LEFT_OUT, LeftOutEntry
from pipeline.store.provenance import mark
from pipeline.store.store import Store
from pipeline.store.video import VideoStore

KNOWN = ("dataset", "videos.parquet")
HOLDS_WHILE = b"holds_while"
AT_ONCE = 1000
"""Videos whose rows are held as Python objects at a time."""

KNOWN_SCHEMA = pa.schema(
    [
        ("video_id", pa.string()),
        ("fingerprint", pa.string()),
        ("alike", pa.bool_()),
        ("failure", pa.string()),
        ("tries", pa.int32()),
        ("mark", pa.uint64()),
    ]
)
"""``tries``: how often it failed to become what is asked for now; ``NEVER`` where another try is of no use.
``mark``: of the results of all stages (``provenance.mark``), another one whenever a stage was run; 0: not finished."""

NEVER = 2**31 - 1
LEFT_OUT_SCHEMA = pa.schema(
    [
        ("video_id", pa.string()),
        ("stage", pa.string()),
        ("clip_id", pa.int32()),
        ("code", pa.string()),
        ("detail", pa.string()),
    ]
)


@dataclass(frozen=True)
class KnownVideos:
    """What is known of all videos, sorted by id.

    videos, left_out: tables of the schemas above. looked_at: the videos that were read for it just now. stored: whether
    all of it is what the store holds already.
    """

    videos: pa.Table
    left_out: pa.Table
    looked_at: frozenset[str] = frozenset()
    stored: bool = False

    def replaced(self, gone: AbstractSet[str], videos: pa.Table, left_out: pa.Table) -> "KnownVideos":
        """Return this with the rows of some videos replaced."""
        if not gone:
            return self
        found = replaced(self.videos, gone, videos), replaced(self.left_out, gone, left_out)
        same = self.stored and self.videos.equals(found[0]) and self.left_out.equals(found[1])
        return KnownVideos(*found, self.looked_at, same)

    def finished(self) -> pa.Table:
        """Return the rows of finished videos."""
        return self.videos.filter(pc.not_equal(self.videos["fingerprint"], ""))


def know(
    store: Store, changes: Noted, filters: FilterSettings, asked: Selection, changed: AbstractSet[str]
) -> KnownVideos:
    """Return what is known of all videos, looking at those that are new or changed: at all where nothing is known."""
    before, ids = _read(store, changes, filters, asked), set(store.video_ids())
    known = set(before.videos["video_id"].to_pylist())
    return look(store, before, (ids - known) | (changed & ids), filters, asked, known - ids)


def still_known(store: Store, filters: FilterSettings, asked: Selection) -> KnownVideos | None:
    """Return what is known where that is all: no change is noted, and no video came or went; else None."""
    changes = changes_of(store)
    if changes.pending():
        return None
    before = _read(store, changes, filters, asked)
    is_all = before.stored and set(before.videos["video_id"].to_pylist()) == set(store.video_ids())
    return before if is_all else None


def look(
    store: Store,
    known: KnownVideos,
    changed: AbstractSet[str],
    filters: FilterSettings,
    asked: Selection,
    gone: AbstractSet[str] = frozenset(),
) -> KnownVideos:
    """Return what is known once ``changed`` have been read; ``gone`` have no folder any more.

    Of what the file system cannot give at the moment, what was known before stays, and it is looked at again next time.
    """
    videos, left_out, unread = _looked(store, sorted(changed), filters, asked)
    before = set(known.videos["video_id"].to_pylist())
    read = changed - (unread.keys() & before)
    found = replace(known.replaced(read | gone, videos, left_out), looked_at=known.looked_at | read)
    return with_unread(store, found, {key: error for key, error in unread.items() if key not in before})


def with_unread(store: Store, known: KnownVideos, errors: Mapping[str, VideoError]) -> KnownVideos:
    """Return what is known with the videos that could not be read just now named, to be looked at again next time."""
    if not errors:
        return known
    for video_id in errors:
        changes_of(store).note(video_id)
    entries = (
        LeftOutEntry(video_id=key, stage="dataset", clip_id=None, code=error.code, detail=str(error))
        for key, error in sorted(errors.items())
    )
    return replace(known, left_out=replaced(known.left_out, frozenset(), left_out_table(entries)), stored=False)


def write_known(store: Store, changes: Noted, known: KnownVideos, filters: FilterSettings, asked: Selection) -> None:
    """Keep what is known; nothing is written where nothing is new."""
    if not known.stored:
        metadata = {HOLDS_WHILE: _holds_while(changes, filters, asked)}
        write_large(store, known.left_out, *LEFT_OUT)
        write_large(store, known.videos.replace_schema_metadata(metadata), *KNOWN)


class Settled(NamedTuple):
    """What is known of what videos need.

    nothing: videos that need nothing: finished, or not worth another try. seen: all others of which there is anything,
    so that only a look at them tells what they need.
    """

    nothing: AbstractSet[str]
    seen: AbstractSet[str]


def settled(store: Store, filters: FilterSettings, asked: Selection, give_up_after: int) -> Settled:
    """Return what is known of what videos need; none of them is looked at."""
    changes = changes_of(store)
    pending, known = changes.pending(), _read(store, changes, filters, asked)
    if asked.settings is None or not known.stored:
        return Settled(frozenset(), frozenset(store.video_ids()))
    tries = known.videos["tries"]
    given_up = pc.and_(pc.greater(tries, 0), pc.greater_equal(tries, give_up_after))
    needs_nothing = pc.or_(known.videos["alike"], given_up)
    nothing = set(known.videos["video_id"].filter(needs_nothing).to_pylist()) - pending
    others = set(known.videos["video_id"].filter(pc.invert(needs_nothing)).to_pylist())
    return Settled(nothing, others | pending)


def suffix_of(filters: FilterSettings) -> str:
    """Return what filters add to the fingerprint of a video's rows; nothing where there are none."""
    if filters == FilterSettings():
        return ""
    return f"-{hashlib.sha256(filters.model_dump_json(exclude_none=True).encode()).hexdigest()[:8]}"


def finished_rows(video_ids: Sequence[str], fingerprint: str) -> pa.Table:
    """Return rows of videos that are all finished in the same way."""
    count = len(video_ids)
    columns = [video_ids, [fingerprint] * count, [True] * count, [""] * count, [0] * count, [1] * count]
    return pa.table(columns, KNOWN_SCHEMA)


def judgement_table(judgements: Sequence[tuple[str, str, str]]) -> pa.Table:
    """Return why whole videos are left out of the dataset (id, code, detail) as a table of ``LEFT_OUT_SCHEMA``."""
    ids, codes, details = zip(*judgements, strict=True) if judgements else ((), (), ())
    count = len(judgements)
    return pa.table([ids, ["dataset"] * count, pa.nulls(count, pa.int32()), codes, details], LEFT_OUT_SCHEMA)


def left_out_table(entries: Iterable[LeftOutEntry]) -> pa.Table:
    """Return entries as a table of ``LEFT_OUT_SCHEMA``."""
    return pa.Table.from_pylist([entry.model_dump() for entry in entries], LEFT_OUT_SCHEMA)


def _read(store: Store, changes: Noted, filters: FilterSettings, asked: Selection) -> KnownVideos:
    """Return what was known before, as far as it still holds."""
    nothing = KnownVideos(KNOWN_SCHEMA.empty_table(), LEFT_OUT_SCHEMA.empty_table())
    if not (store.exists(*KNOWN) and store.exists(*LEFT_OUT)):
        return nothing
    try:
        videos, left_out = store.read_table(*KNOWN), store.read_table(*LEFT_OUT)
    except CorruptStore:
        return nothing
    holds = (videos.schema.metadata or {}).get(HOLDS_WHILE) == _holds_while(changes, filters, asked)
    fits = videos.schema.equals(KNOWN_SCHEMA) and left_out.schema.equals(LEFT_OUT_SCHEMA)
    return KnownVideos(videos.replace_schema_metadata(), left_out, stored=True) if holds and fits else nothing


def _holds_while(changes: Noted, filters: FilterSettings, asked: Selection) -> bytes:
    return json.dumps([changes.epoch(), asked.recipe, suffix_of(filters)]).encode()


def _looked(
    store: Store, video_ids: list[str], filters: FilterSettings, asked: Selection
) -> tuple[pa.Table, pa.Table, dict[str, NotReadableNow]]:
    videos, left_out, waiting = [KNOWN_SCHEMA.empty_table()], [LEFT_OUT_SCHEMA.empty_table()], iter(video_ids)
    unread: dict[str, NotReadableNow] = {}
    while some := [store.video(video_id).as_it_is() for video_id in islice(waiting, AT_ONCE)]:
        rows, entries = [], list[LeftOutEntry]()
        for video in some:
            try:
                row, noted = _row(video, filters, asked), list(_left_out(video, filters))
            except NotReadableNow as error:
                unread[video.video_id] = error
                continue
            rows.append(row)
            entries += noted
        videos.append(pa.Table.from_pylist(rows, KNOWN_SCHEMA))
        left_out.append(left_out_table(entries))
    return pa.concat_tables(videos), pa.concat_tables(left_out), unread


def _row(video: VideoStore, filters: FilterSettings, asked: Selection) -> dict[str, object]:
    made, failure = finished(video), last_failure(video)
    found, settings = final(made) if made else "", asked.settings
    return {
        "video_id": video.video_id,
        "fingerprint": f"{identity_of(made)}{suffix_of(filters)}" if made else "",
        "alike": found != "" and (settings is None or found in final_fingerprints(video.video_id, settings)),
        "failure": failure.model_dump_json(exclude={"left_out"}) if failure else "",
        "tries": _tries(video.video_id, failure, settings),
        "mark": mark(made.values()) if made else 0,
    }


def _tries(video_id: str, failure: Failure | None, settings: Settings | None) -> int:
    if failure is None or settings is None or failure.wanted != final_fingerprint(video_id, settings):
        return 0
    return failure.tries if failure.may_pass else NEVER


def _left_out(video: VideoStore, filters: FilterSettings) -> Iterator[LeftOutEntry]:
    failure = last_failure(video)
    if failure:
        yield LeftOutEntry(
            video_id=video.video_id, stage=failure.stage, clip_id=None, code=failure.code, detail=failure.detail
        )
    for item in left_out_by_stages(video):
        yield LeftOutEntry(
            video_id=video.video_id, stage=item.stage, clip_id=item.clip_id, code=item.code, detail=item.detail
        )
    for clip_id, why in filtered(video, filters).items():
        yield LeftOutEntry(video_id=video.video_id, stage="dataset", clip_id=clip_id, code=why.code, detail=why.detail)
