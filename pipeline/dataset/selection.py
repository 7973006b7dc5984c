"""Which finished videos the dataset takes in: those that today's sources name, made as today's settings say."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.dataset.split import ROWS_AT_ONCE, group_of, placed, split_of
from pipeline.settings import DatasetSettings, Settings
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.catalog.rows import VideoState
from pipeline.sources.entries import SourceList
from pipeline.sources.named import NamedVideos
from pipeline.stages.run import final_fingerprint
from pipeline.store.index import LeftOutEntry

NOT_LISTED = "NotListed"
OTHER_SETTINGS = "OtherSettings"
ACROSS_SPLIT = "AcrossSplit"
REFUSED = {
    VideoState.DUPLICATE: ("Duplicate", "it shows what another video of the catalog shows"),
    VideoState.REJECTED: ("Rejected", "what its source gave was no video that can be used"),
    VideoState.UNWANTED: ("Unwanted", "the rules of its source exclude it"),
}
"""What the catalog says of videos that the dataset does not take in, whatever was built of them."""

JUDGEMENTS = (NOT_LISTED, OTHER_SETTINGS, ACROSS_SPLIT, *(code for code, _ in REFUSED.values()))


@dataclass(frozen=True)
class Selection:
    """What is asked for.

    listed: today's sources; None takes every video, whoever named it. settings: how videos are to be made; None takes
    every finished one.
    """

    listed: SourceList | None = None
    settings: Settings | None = None

    @property
    def recipe(self) -> str:
        """Return a name of the settings, which changes when they, or the code of a stage, change results."""
        return final_fingerprint("recipe", self.settings) if self.settings else ""

    def named(self, catalog: Catalog) -> pa.Array | None:
        """Return the ids of the videos that the sources name, or None for all."""
        return None if self.listed is None else NamedVideos.of(self.listed).video_ids(catalog)


EVERYTHING = Selection()


class Wanted(NamedTuple):
    """A video of the dataset: the fingerprint of its rows, its side of the split, the group that it goes with."""

    fingerprint: str
    split: str
    group: str


@dataclass
class Judged:
    """Which videos the dataset takes in, in the order of ids, and why the other finished ones are left out."""

    wanted: dict[str, Wanted] = field(default_factory=dict)
    left_out: list[LeftOutEntry] = field(default_factory=list)


def judge(finished: pa.Table, catalog: Catalog, settings: DatasetSettings, asked: Selection) -> Judged:
    """Tell which of the finished videos the dataset takes in.

    finished: ``video_id``, ``fingerprint`` of its rows, ``alike``: whether today's settings would give the same.
    """
    judged, links = Judged(), dict[str, str]()
    for row in _rows(finished, catalog, asked):
        listed_by = row.source if row.source != row.origin else ""
        group = group_of(row.video_id, row.origin, listed_by, row.uploader) if row.origin else row.video_id
        side = split_of(group, settings.validation_share)
        why = _objection(row, settings)
        if why:
            judged.left_out.append(_entry(row.video_id, *why))
        else:
            judged.wanted[row.video_id] = Wanted(row.fingerprint, side, group)
            if row.duplicate_of:
                links[row.video_id] = row.duplicate_of
    sides = {key: judged.wanted[key].split for key in {*links.values()} & judged.wanted.keys()}
    for video_id, other in links.items():
        side, there = judged.wanted[video_id].split, sides.get(other)
        if there not in (None, side):
            detail = f"it shows much of {other}, which is in {there}, and its group is in {side}"
            judged.left_out.append(_entry(video_id, ACROSS_SPLIT, detail))
            del judged.wanted[video_id]
    return judged


class _Row(NamedTuple):
    """A finished video, as built, as the catalog knows it (all None where it does not), and whether it is named."""

    video_id: str
    fingerprint: str
    alike: bool
    origin: str | None
    source: str | None
    uploader: str | None
    state: str | None
    duplicate_of: str | None
    named: bool


def _rows(finished: pa.Table, catalog: Catalog, asked: Selection) -> Iterator[_Row]:
    named, ids = asked.named(catalog), finished["video_id"].combine_chunks()
    is_named = pa.repeat(True, len(ids)) if named is None else pc.is_in(ids, named)
    table = finished.select(["video_id", "fingerprint", "alike"])
    places = placed(catalog, ids)
    for name in places.column_names:
        table = table.append_column(name, places[name])
    for batch in table.append_column("named", is_named).to_batches(max_chunksize=ROWS_AT_ONCE):
        yield from map(_Row._make, zip(*(column.to_pylist() for column in batch.columns), strict=True))


def _objection(row: _Row, settings: DatasetSettings) -> tuple[str, str] | None:
    if row.state in REFUSED:
        return REFUSED[VideoState(row.state)]
    if not row.named:
        return NOT_LISTED, "no source of today names it"
    if not row.alike and not settings.mixed:
        return OTHER_SETTINGS, "it was made with other settings than today's; dataset.mixed takes it in all the same"
    return None


def _entry(video_id: str, code: str, detail: str) -> LeftOutEntry:
    return LeftOutEntry(video_id=video_id, stage="dataset", clip_id=None, code=code, detail=detail)
