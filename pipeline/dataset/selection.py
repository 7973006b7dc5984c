"""Which finished videos the dataset takes in: those that today's sources name, made as today's settings say."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from pipeline.dataset.split import Placed, placed_videos, split_of
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

    def named(self, catalog: Catalog) -> set[str] | None:
        """Return the ids of the videos that the sources name, or None for all."""
        return None if self.listed is None else NamedVideos.of(self.listed).video_ids(catalog)


EVERYTHING = Selection()


class Finished(NamedTuple):
    """A finished video: the fingerprint of its rows in the index, and whether today's settings would give the same."""

    fingerprint: str
    alike: bool


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


def judge(finished: Mapping[str, Finished], catalog: Catalog, settings: DatasetSettings, asked: Selection) -> Judged:
    """Tell which of the finished videos the dataset takes in."""
    placed = dict(placed_videos(catalog, list(finished)))
    named, judged = asked.named(catalog), Judged()
    for video_id, found in finished.items():
        place = placed.get(video_id) or Placed(video_id, "", "")
        side = split_of(place.group, settings.validation_share)
        why = _objection(video_id, found, place, named, settings)
        if why is None and place.alike in finished and place.alike in placed:
            other = split_of(placed[place.alike].group, settings.validation_share)
            if other != side:
                why = ACROSS_SPLIT, f"it shows much of {place.alike}, which is in {other}, and its group is in {side}"
        if why is None:
            judged.wanted[video_id] = Wanted(found.fingerprint, side, place.group)
        else:
            judged.left_out.append(_entry(video_id, *why))
    return judged


def _objection(
    video_id: str, found: Finished, place: Placed, named: set[str] | None, settings: DatasetSettings
) -> tuple[str, str] | None:
    if place.state in REFUSED:
        return REFUSED[VideoState(place.state)]
    if named is not None and video_id not in named:
        return NOT_LISTED, "no source of today names it"
    if not found.alike and not settings.mixed:
        return OTHER_SETTINGS, "it was made with other settings than today's; dataset.mixed takes it in all the same"
    return None


def _entry(video_id: str, code: str, detail: str) -> LeftOutEntry:
    return LeftOutEntry(video_id=video_id, stage="dataset", clip_id=None, code=code, detail=detail)
