"""Which finished videos the dataset takes in: those that today's sources name, made as today's settings say."""

from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.dataset.split import ROWS_AT_ONCE, group_of, placed, split_of
from pipeline.settings import DatasetSettings, Settings
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.catalog.rows import VideoState
from pipeline.sources.entries import SourceList
from pipeline.sources.named import NamedVideos
from pipeline.stages.run import final_fingerprints

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
        return " ".join(final_fingerprints("recipe", self.settings)) if self.settings else ""

    def named(self, catalog: Catalog) -> pa.Array | None:
        """Return the ids of the videos that the sources name, or None for all."""
        return None if self.listed is None else NamedVideos.of(self.listed).video_ids(catalog)


EVERYTHING = Selection()


@dataclass
class WantedVideos:
    """The videos of the dataset, in the order of their ids: of each the fingerprint of its rows and its side.

    grouped: those that go with others. Strings in dictionaries alone, so that a hundred thousand videos give
    the garbage collector nothing to go through.
    """

    fingerprints: dict[str, str] = field(default_factory=dict)
    splits: dict[str, str] = field(default_factory=dict)
    grouped: set[str] = field(default_factory=set)

    def add(self, video_id: str, fingerprint: str, split: str, group: str) -> None:
        """Take a video in."""
        self.fingerprints[video_id], self.splits[video_id] = fingerprint, split
        if group != video_id:
            self.grouped.add(video_id)

    def without(self, video_ids: Container[str]) -> "WantedVideos":
        """Return the others."""
        kept = {key: found for key, found in self.fingerprints.items() if key not in video_ids}
        return WantedVideos(kept, {key: self.splits[key] for key in kept}, self.grouped & kept.keys())


@dataclass
class Judged:
    """Which videos the dataset takes in, in the order of ids, and why the others are left out: id, code, detail."""

    wanted: WantedVideos = field(default_factory=WantedVideos)
    left_out: list[tuple[str, str, str]] = field(default_factory=list)


def judge(finished: pa.Table, catalog: Catalog, settings: DatasetSettings, asked: Selection) -> Judged:
    """Tell which of the finished videos the dataset takes in.

    finished: ``video_id``, ``fingerprint`` of its rows, ``alike``: whether today's settings would give the same.
    """
    judged, links = Judged(), dict[str, str]()
    for video_id, made, alike, origin, source, uploader, state, other, is_named in _rows(finished, catalog, asked):
        group = group_of(video_id, origin, source if source != origin else "", uploader) if origin else video_id
        why = None if state not in REFUSED and is_named and alike else _objection(state, is_named, settings)
        if why:
            judged.left_out.append((video_id, *why))
            continue
        judged.wanted.add(video_id, made, split_of(group, settings.validation_share), group)
        if other:
            links[video_id] = other
    across, splits = set(), judged.wanted.splits
    for video_id, other in links.items():
        side, there = splits[video_id], splits.get(other)
        if there not in (None, side):
            detail = f"it shows much of {other}, which is in {there}, and its group is in {side}"
            judged.left_out.append((video_id, ACROSS_SPLIT, detail))
            across.add(video_id)
    judged.wanted = judged.wanted.without(across) if across else judged.wanted
    return judged


def _rows(finished: pa.Table, catalog: Catalog, asked: Selection) -> Iterator[tuple[Any, ...]]:
    """Yield finished videos: id, fingerprint, alike, what places them (None where not in the catalog), named or not."""
    named, ids = asked.named(catalog), finished["video_id"].combine_chunks()
    is_named = pa.repeat(True, len(ids)) if named is None else pc.is_in(ids, named)
    table = finished.select(["video_id", "fingerprint", "alike"])
    places = placed(catalog, ids)
    for name in places.column_names:
        table = table.append_column(name, places[name])
    for batch in table.append_column("named", is_named).to_batches(max_chunksize=ROWS_AT_ONCE):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _objection(state: str | None, is_named: bool, settings: DatasetSettings) -> tuple[str, str] | None:
    if state in REFUSED:
        return REFUSED[VideoState(state)]
    if not is_named:
        return NOT_LISTED, "no source of today names it"
    if settings.mixed:
        return None
    return OTHER_SETTINGS, "it was made with other settings than today's; dataset.mixed takes it in all the same"
