"""Brings the rules that the sources give now to the videos that they listed before.

A video keeps no rules of its own: those of its entry hold, as they are when the video is due. What is fetched already
keeps the rules it was fetched under, so that a deleted source comes back as the same file.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.contract.errors import CorruptStore
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.catalog.rows import ASKABLE, CatalogRow, VideoState
from pipeline.sources.entries import SourceEntry, SourceList
from pipeline.sources.named import NamedVideos
from pipeline.sources.rules import FoundVideo, SourceRules
from pipeline.sources.video_source import LOCAL_KINDS, VideoSource
from pipeline.store.groups import FAILURE
from pipeline.store.video import VideoStore

UNDECIDED = (*ASKABLE, VideoState.UNWANTED)
"""States in which the rules of the source have a say."""


def bring_rules(catalog: Catalog, listed: SourceList) -> list[str]:
    """Give every video that is not fetched the rules of the entry that listed it; return the ids that changed.

    A video that a rule had spoken against is asked for again if no rule of today speaks against what is known of it.
    """
    entries = {listed_as(entry): entry for entry in reversed(listed.entries)}
    rules = {name: entry.rules_json() for name, entry in entries.items()}
    table = catalog.table(["video_id", "source", "rules"], UNDECIDED)
    places = pc.index_in(table["source"], pa.array(list(rules), pa.string()))
    today = pa.array(rules.values(), pa.string()).take(places.combine_chunks())
    differs = pc.fill_null(pc.not_equal(table["rules"].combine_chunks(), today), fill_value=False)
    stale: list[str] = table["video_id"].filter(differs).to_pylist()
    change_rules(catalog, stale, lambda row: rules[row.source.listed_by or row.source.origin])
    return stale


def adopt(catalog: Catalog, sources: Mapping[str, VideoSource], named: NamedVideos, rules: str) -> None:
    """Let an entry take over videos that no entry of today listed, so that they stay named.

    sources: by id, as the entry lists them. Its rules hold for those that are not fetched.
    """
    rows = [row for row in catalog.rows(list(sources)).values() if not named.lists(row)]
    catalog.update([row.video_id for row in rows], lambda row: replace(row, source=sources[row.video_id]))
    change_rules(catalog, [row.video_id for row in rows if row.state in UNDECIDED], lambda _: rules)


def change_rules(catalog: Catalog, video_ids: Iterable[str], rules_of: Callable[[CatalogRow], str]) -> None:
    """Write rules into rows, and wake those that they no longer speak against."""
    ids = list(video_ids)
    if not ids:
        return
    for row in catalog.rows(ids).values():
        if _wakes(row, rules_of(row)):
            VideoStore(catalog.files, row.video_id).remove(FAILURE)
    catalog.update(ids, lambda row: _under(row, rules_of(row)))


def listed_as(entry: SourceEntry) -> str:
    """Return what the catalog notes as the source of the videos of an entry."""
    return entry.source if entry.kind in LOCAL_KINDS else entry.name


def rules_of(row: CatalogRow) -> SourceRules:
    """Return the rules that hold for a video; raises ``CorruptStore`` where the catalog holds none."""
    try:
        return SourceRules.model_validate_json(row.rules) if row.rules else SourceRules()
    except ValueError as error:
        message = (
            f"the catalog's rules of {row.video_id} do not read back ({row.rules[:80]!r}): restore it from a backup"
        )
        raise CorruptStore(message) from error


def as_found(row: CatalogRow) -> FoundVideo:
    """Return what the catalog knows of a video, for rules to judge."""
    return FoundVideo(row.source.origin, row.title, row.uploader, row.published, row.duration_s, row.licence)


def woken(row: CatalogRow) -> CatalogRow:
    """Return the row of a video that is asked for again as if for the first time."""
    return replace(row, state=VideoState.NEW, tries=0, next_try=None, duplicate_of="", sha256="")


def _under(row: CatalogRow, rules: str) -> CatalogRow:
    return replace(woken(row) if _wakes(row, rules) else row, rules=rules)


def _wakes(row: CatalogRow, rules: str) -> bool:
    judged = replace(row, rules=rules)
    return row.state is VideoState.UNWANTED and rules_of(judged).objection(as_found(judged)) is None
