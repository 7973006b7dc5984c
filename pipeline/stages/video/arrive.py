"""Brings a video of the catalog into a folder, and notes in the catalog what became of it.

The result of every try goes into the catalog, so that no other process asks in vain for what one has found gone.
"""

import functools
import shutil
from dataclasses import replace
from pathlib import Path

from pipeline.contract.errors import (
    ChangedMeanwhile,
    CorruptStore,
    DownloadRefused,
    DuplicateVideo,
    ExtractorTrouble,
    UnwantedVideo,
    VideoError,
)
from pipeline.contract.progress import Progress, silent
from pipeline.contract.records import Source
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.catalog.rows import ASKABLE, BUILDABLE, CatalogRow
from pipeline.sources.current_rules import as_found, rules_of
from pipeline.sources.duplicates.claims import first_with
from pipeline.sources.duplicates.settings import DuplicateSettings
from pipeline.sources.local_files import is_gone, take_place
from pipeline.sources.outcomes import after_arrival, after_error, refuse_final
from pipeline.sources.web.explain import one_line
from pipeline.sources.web.guard import site
from pipeline.sources.web.hosts import Hosts
from pipeline.stages.base import Workbench
from pipeline.stages.video.fetch import fetch
from pipeline.stages.video.settings import VideoSettings
from pipeline.store.groups import SOURCE_NOTES, SOURCE_VIDEO


def arrive(
    catalog: Catalog, video_id: str, folder: Path, settings: VideoSettings, progress: Progress = silent
) -> Source:
    """Fetch a video of the catalog into ``folder`` and note what went wrong; its host's rate limits are kept.

    ``mark_fetched`` follows once the file lies in its place.

    Raises:
        VideoError: as ``fetch``, or because the catalog knows that asking is of no use.
        DuplicateVideo: another video of the catalog brought the same file, or shows the same tour.
        StageMissing: the catalog does not know the video.
    """
    row, hosts = catalog.row(video_id), Hosts.of(catalog.files, settings.web)
    refuse_final(row)
    try:
        arrived = _ask(row, folder, settings, hosts, progress)
        _claim(catalog, row, arrived.sha256)
        if row.source.kind != "tour":
            _compare(catalog, row, folder / SOURCE_VIDEO, settings.duplicates)
    except VideoError as error:
        _note(error, catalog, row, hosts, settings)
        raise
    return replace(arrived, video_id=video_id)  # that of a file that moved is not made from where it lies now


def restore(workbench: Workbench, settings: VideoSettings) -> None:
    """Fetch a source again that was deleted once its frames were stored; does nothing where it is there.

    Raises:
        ChangedMeanwhile: the host gives another file now.
        VideoError: it could not be fetched.
    """
    video = workbench.video
    if video.exists(SOURCE_VIDEO) or not video.exists(SOURCE_NOTES):
        return
    folder = video.scratch / "download"
    folder.mkdir(parents=True, exist_ok=True)
    again = arrive(workbench.catalog, video.video_id, folder, settings)
    if again.sha256 != video.read_json(SOURCE_NOTES)["sha256"]:
        message = f"{video.video_id}: its host gives another file now; delete its folder to begin anew with that"
        raise ChangedMeanwhile(message)
    video.place(folder / SOURCE_VIDEO, SOURCE_VIDEO)
    shutil.rmtree(folder)


def mark_fetched(workbench: Workbench) -> None:
    """Note that a video lies in the store; does nothing where that is known."""
    video, catalog = workbench.video, workbench.catalog
    if catalog.row(video.video_id).state in ASKABLE:
        content = video.read_json(SOURCE_NOTES)
        try:
            arrived = Source.of(content)
        except (KeyError, TypeError) as error:
            message = f"{SOURCE_NOTES} of {video.video_id} describes no video: {error}"
            raise CorruptStore(message) from error
        catalog.update([video.video_id], lambda row: after_arrival(row, arrived))


def _ask(row: CatalogRow, folder: Path, settings: VideoSettings, hosts: Hosts, progress: Progress) -> Source:
    """Fetch the file; of a host, one of its places is held meanwhile. What is known may speak against it already."""
    rules = rules_of(row)
    if row.source.kind != "url":
        return fetch(row.source, folder, settings, progress, rules)
    objection = rules.objection(as_found(row)) if row.state in ASKABLE else None
    if objection:
        raise UnwantedVideo(f"{row.source.origin}: {objection}")
    asked = site(row.source.origin)
    with hosts.slot(asked):
        arrived = fetch(row.source, folder, settings, progress, rules, hosts)
    hosts.answered(asked)
    return arrived


def _claim(catalog: Catalog, row: CatalogRow, sha256: str) -> None:
    """Note which file a video is, so that of two videos with the same file only the first goes on."""
    catalog.update([row.video_id], lambda known: replace(known, sha256=sha256, duplicate_of=""))
    first = first_with(catalog, row.video_id, sha256)
    if first == row.video_id:
        return

    def noted() -> bool:
        catalog.update([row.video_id], lambda known: replace(known, duplicate_of=first))
        return take_place(catalog, row.video_id, first)

    if catalog.change(noted):
        raise DuplicateVideo(f"{row.video_id} is {first}, whose file moved to {row.source.origin}")
    raise DuplicateVideo(f"{row.video_id} is the same file as {first}")


def _compare(catalog: Catalog, row: CatalogRow, path: Path, settings: DuplicateSettings) -> None:
    """Keep the hashes of a video, and note which earlier one shows much of the same; a copy is refused."""
    from pipeline.sources.duplicates.fingerprints import Fingerprints, Lookalike, video_hashes

    fingerprints, hashes = Fingerprints(catalog.files), video_hashes(path)
    least = settings.model_copy(update={"share": min(settings.near, settings.share)})

    def compared() -> Lookalike | None:
        alike = [found for found in fingerprints.alike(hashes, least) if found.video_id != row.video_id]
        rows = catalog.rows([found.video_id for found in alike])
        others = {key for key, other in rows.items() if other.state in BUILDABLE and not is_gone(other.source)}
        first = next((found for found in alike if found.video_id in others), None)
        if first is not None and rows[first.video_id].duplicate_of != row.video_id:
            catalog.update([row.video_id], lambda known: replace(known, duplicate_of=first.video_id))
        if first is None or first.share < settings.share or not settings.enabled:
            fingerprints.add(row.video_id, hashes)
            return None
        return first

    first = catalog.change(lambda: fingerprints.change(compared))
    if first is None:
        return
    raise DuplicateVideo(f"{row.video_id} shows {first.share:.0%} of the pictures of {first.video_id}")


def _note(error: VideoError, catalog: Catalog, row: CatalogRow, hosts: Hosts, settings: VideoSettings) -> None:
    """Write down what became of a try: the host's refusal, and the video's row."""
    is_local = row.source.kind != "url"
    if isinstance(error, DownloadRefused) and not is_local:
        trouble = one_line(error) if isinstance(error, ExtractorTrouble) else ""
        hosts.refused(site(row.source.origin), error.retry_after_s, trouble)
    catalog.update(
        [row.video_id], functools.partial(after_error, error=error, is_local=is_local, settings=settings.web)
    )
