"""Brings what the sources list into the catalog: flat (no video is asked for) and incremental.

A channel is read from its newest video on, until a run of videos that are known; once its rules have changed it is
read whole, and so are other listings always, since nothing says that new videos come first in them. Memory is bounded
by a batch, whatever the length of a listing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TypeVar

from models.errors import MissingExtra
from pipeline.contract.errors import DownloadRefused, PipelineError, SettingsError
from pipeline.contract.records import Segment
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.catalog.rows import CatalogRow, VideoState
from pipeline.sources.current_rules import adopt, bring_rules
from pipeline.sources.entries import SourceEntry, SourceKind, SourceList
from pipeline.sources.listings import list_videos
from pipeline.sources.local_files import look_again
from pipeline.sources.named import NamedVideos
from pipeline.sources.rules import FoundVideo
from pipeline.sources.skipped import SkippedRows
from pipeline.sources.video_source import LOCAL_KINDS, VideoSource, parse_source
from pipeline.sources.web.guard import site
from pipeline.sources.web.hosts import Hosts
from pipeline.sources.web.settings import WebSettings

BATCH = 1000
KNOWN_RUN = 30
"""Known videos in a row after which a channel holds nothing new: pinned and rescheduled videos break a run."""

NEWEST_FIRST = (SourceKind.CHANNEL,)
T = TypeVar("T")


@dataclass
class SourceReport:
    """What looking at one entry brought.

    listed: videos read from it. skipped: what it lists beside videos. unwanted: how often its rules said no, by reason.
    fresh: ids that were new. error: why the listing ended early, empty where it did not.
    """

    name: str
    listed: int = 0
    unwanted: dict[str, int] = field(default_factory=dict)
    fresh: list[str] = field(default_factory=list)
    known: int = 0
    skipped: SkippedRows = field(default_factory=SkippedRows)
    error: str = ""


@dataclass(frozen=True)
class _Candidate:
    """A listed video with its source, ready to be registered."""

    source: VideoSource
    found: FoundVideo

    @property
    def video_id(self) -> str:
        return self.source.video_id


def discover(catalog: Catalog, listed: SourceList, settings: WebSettings) -> list[SourceReport]:
    """Register every wanted video that the sources list now; a source that fails does not stop the others.

    Raises:
        SettingsError: an entry names nothing at all, whatever the web says.
    """
    bring_rules(catalog, listed)
    hosts, named = Hosts.of(catalog.files, settings), NamedVideos.of(listed)
    return [_discover(catalog, entry, listed.folder, settings, hosts, named) for entry in listed.entries]


def check(catalog: Catalog, listed: SourceList, settings: WebSettings) -> list[SourceReport]:
    """Return what ``discover`` would bring; the catalog stays as it is."""
    hosts, named, reports = Hosts.of(catalog.files, settings), NamedVideos.of(listed), []
    for entry in listed.entries:
        report = SourceReport(entry.name)
        for batch in _batches(catalog, entry, listed.folder, settings, hosts, report, named):
            known = catalog.known([candidate.video_id for candidate in batch])
            report.known += len(known)
            report.fresh += [c.video_id for c in batch if c.video_id not in known]
        reports.append(report)
    return reports


def _discover(
    catalog: Catalog, entry: SourceEntry, folder: Path, settings: WebSettings, hosts: Hosts, named: NamedVideos
) -> SourceReport:
    report, rules = SourceReport(entry.name), entry.rules_json()
    for batch in _batches(catalog, entry, folder, settings, hosts, report, named):
        fresh = catalog.register(_row(candidate, rules) for candidate in batch)
        report.fresh += fresh
        report.known += len(batch) - len(fresh)
        known = [candidate for candidate in batch if candidate.video_id not in set(fresh)]
        adopt(catalog, {candidate.video_id: candidate.source for candidate in known}, named, rules)
        _add_stretches(catalog, [candidate for candidate in known if candidate.found.segments])
        if entry.kind in LOCAL_KINDS:
            look_again(catalog, [candidate.source for candidate in batch])
    if entry.kind in NEWEST_FIRST and not report.error:
        catalog.note_read(entry.name, _rules_and_limit(entry))
    return report


def _batches(
    catalog: Catalog,
    entry: SourceEntry,
    folder: Path,
    settings: WebSettings,
    hosts: Hosts,
    report: SourceReport,
    named: NamedVideos,
) -> Iterator[list[_Candidate]]:
    """Yield the wanted videos of an entry, each id once a batch; what goes wrong is noted in the report."""
    listing = list_videos(entry, folder, settings, hosts, report.skipped)
    if entry.kind in NEWEST_FIRST and catalog.last_read(entry.name) == _rules_and_limit(entry):
        listing = _until_known(catalog, listing, named)
    try:
        for batch in _batched(_wanted(entry, listing, report), BATCH):
            yield _merged(batch)
    except SettingsError:
        raise
    except (PipelineError, MissingExtra) as error:
        report.error = f"{type(error).__name__}: {error}"
        if isinstance(error, DownloadRefused) and entry.source.startswith(("http://", "https://")):
            hosts.refused(site(entry.source), error.retry_after_s)


def _batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    waiting = iter(items)
    while batch := list(islice(waiting, size)):
        yield batch


def _wanted(entry: SourceEntry, listing: Iterator[FoundVideo], report: SourceReport) -> Iterator[_Candidate]:
    taken = 0
    for found in listing:
        report.listed += 1
        objection = entry.objection(found)
        if objection:
            report.unwanted[objection] = report.unwanted.get(objection, 0) + 1
            continue
        taken += 1
        yield _Candidate(_source_of(found, entry), found)
        if taken == entry.limit:
            return


def _until_known(catalog: Catalog, listing: Iterator[FoundVideo], named: NamedVideos) -> Iterator[FoundVideo]:
    """Pass on a listing until a run of known videos; asks the catalog once for every ``KNOWN_RUN`` of them.

    Videos that only sources of the past named do not count: today's may list more of them.
    """
    for few in _batched(listing, KNOWN_RUN):
        yield from few
        ids = {VideoSource(kind="url", origin=found.origin).video_id for found in few}
        if sum(named.holds(row) for row in catalog.rows(list(ids)).values()) == len(ids):
            return


def _merged(batch: Iterable[_Candidate]) -> list[_Candidate]:
    by_id: dict[str, _Candidate] = {}
    for candidate in batch:
        known = by_id.setdefault(candidate.video_id, candidate)
        if known is not candidate:
            segments = _united(known.found.segments, candidate.found.segments)
            by_id[candidate.video_id] = replace(known, found=replace(known.found, segments=segments))
    return list(by_id.values())


def _add_stretches(catalog: Catalog, candidates: list[_Candidate]) -> None:
    """Add stretches of videos that were listed before, as long as nothing was made of them yet."""
    wanted = {candidate.video_id: candidate.found.segments for candidate in candidates}
    rows = catalog.rows(list(wanted))
    missing = [key for key, row in rows.items() if row.segments and not set(wanted[key]) <= set(row.segments)]

    def add(row: CatalogRow) -> CatalogRow:
        return replace(row, segments=_united(row.segments, wanted[row.video_id]))

    catalog.update([key for key in missing if rows[key].state is VideoState.NEW], add)


def _united(first: tuple[Segment, ...], second: tuple[Segment, ...]) -> tuple[Segment, ...]:
    """Return all stretches in order; no stretch at all stands for the whole video, which holds every other."""
    return tuple(sorted({*first, *second})) if first and second else ()


def _rules_and_limit(entry: SourceEntry) -> str:
    return entry.model_dump_json(exclude={"kind", "source"}, exclude_defaults=True)


def _source_of(found: FoundVideo, entry: SourceEntry) -> VideoSource:
    if entry.kind in LOCAL_KINDS:
        return parse_source(found.origin)
    return VideoSource(kind="url", origin=found.origin, listed_by=entry.name)


def _row(candidate: _Candidate, rules: str) -> CatalogRow:
    found = candidate.found
    return CatalogRow(
        video_id=candidate.video_id,
        source=candidate.source,
        rules=rules,
        title=found.title,
        uploader=found.uploader,
        published=found.published,
        duration_s=found.duration_s,
        licence=found.licence,
        segments=found.segments,
    )
