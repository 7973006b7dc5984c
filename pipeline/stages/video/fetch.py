"""Stage ``video``: bring one video into a folder, verified, with what is known about it.

The video grows in a subfolder and is moved to ``source.mp4`` when it is whole and decodes; ``source.json`` follows
last. A fetch that was killed is taken up again where it stopped. The name says nothing of the container: readers
look at the content.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from models.json_text import parsed_json
from models.memory import limited_growth
from pipeline.contract.errors import (
    BrokenVideo,
    ChangedMeanwhile,
    DiskFull,
    DownloadError,
    DownloadRefused,
    DownloadTransient,
    HostResting,
    UnwantedVideo,
    VideoError,
    naming,
)
from pipeline.contract.progress import Progress, silent
from pipeline.contract.records import Source
from pipeline.media import Probe, check_decodes, probe
from pipeline.sources.rules import SourceRules
from pipeline.sources.video_source import VideoSource
from pipeline.sources.web.explain import one_line
from pipeline.sources.web.hosts import Hosts
from pipeline.stages.video.arrival import TASK, Arrival
from pipeline.stages.video.bounds import check_bounds
from pipeline.stages.video.containers import check_whole
from pipeline.stages.video.origins import FetchRequest, arrival_of
from pipeline.stages.video.settings import VideoSettings
from pipeline.store.atomic import NO_SPACE, flush
from pipeline.store.drafts import remove_tree
from pipeline.store.groups import SOURCE_NOTES, SOURCE_VIDEO

DRAFTS = ".draft"
RESUMABLE = (DownloadTransient, DownloadRefused, HostResting)
"""Errors after which what has arrived is kept, to be taken up again."""


def fetch(
    source: VideoSource,
    folder: Path,
    settings: VideoSettings,
    progress: Progress = silent,
    rules: SourceRules | None = None,
    hosts: Hosts | None = None,
) -> Source:
    """Put a video into ``folder`` as ``source.mp4`` and describe it in ``source.json``.

    Nothing is done where both are there, agree, and are what a local file is now. ``folder`` is worked on by one
    process at a time. A URL whose video turns out broken, or that changes meanwhile, is asked for once more.

    Args:
        source: a rendered tour, a local file or a URL.
        folder: where to put it; made if it is missing.
        settings: of this stage.
        progress: called with how far it is.
        rules: of the source that lists the video.
        hosts: rate limits shared with other processes; without them nobody else is thought to ask.

    Raises:
        BrokenVideo: what arrived is no video; ``UnwantedVideo``: it is shorter, longer or larger than the settings
            accept, or the rules exclude it.
        DownloadGone, DownloadRefused, DownloadTransient: there is no such video, or its host does not give it.
        HostResting, ForbiddenAddress: the host was not asked.
        DiskFull: no space; nothing half-written is left.
    """
    present = read_source(folder)
    if present is not None and present.origin == source.origin and not _was_replaced(source, present):
        return present
    request = FetchRequest(source, settings, rules or SourceRules(), hosts)
    try:
        described = _fetched(request, folder, progress)
    except (BrokenVideo, ChangedMeanwhile) as error:
        if source.kind != "url" or isinstance(error, UnwantedVideo):
            raise
        described = _fetched(request, folder, progress)
    progress(TASK, 1, 1, "done")
    return described


def _was_replaced(source: VideoSource, present: Source) -> bool:
    """Tell whether a local file is another one than was copied of it, by a process that was killed then."""
    path = Path(source.origin)
    return source.kind == "file" and path.is_file() and _sha256(path) != present.sha256


def _fetched(request: FetchRequest, folder: Path, progress: Progress) -> Source:
    drafts = folder / DRAFTS
    try:
        with _full_disk_told_apart():
            drafts.mkdir(parents=True, exist_ok=True)
            arrival = arrival_of(request, drafts, progress)
            with naming(arrival.path.name, _shown(request.source)):
                described = _verified(request, arrival)
            _place(arrival.path, described, folder)
    except RESUMABLE:
        raise
    except VideoError:
        remove_tree(drafts)
        raise
    remove_tree(drafts)
    return described


def read_source(folder: Path) -> Source | None:
    """Return what ``source.json`` says if it is there and ``source.mp4`` is the file it describes, else None."""
    try:
        content = parsed_json((folder / SOURCE_NOTES).read_text())
        source = Source.of(content)
        intact = (folder / SOURCE_VIDEO).stat().st_size == source.size_bytes and _sha256(
            folder / SOURCE_VIDEO
        ) == source.sha256
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return source if intact else None


def _shown(source: VideoSource) -> str:
    return Path(source.origin).name if source.kind == "file" else source.origin


def _verified(request: FetchRequest, arrival: Arrival) -> Source:
    source, settings = request.source, request.settings
    try:
        with limited_growth(settings.probe_bytes_max):
            held = _probed(arrival.path, source.origin, settings)
    except MemoryError as error:
        message = f"{source.origin} takes more than {settings.probe_bytes_max} bytes of memory: video.probe_bytes_max"
        raise UnwantedVideo(message) from error
    return Source(
        video_id=source.video_id,
        origin=source.origin,
        title=one_line(arrival.title),
        uploader=one_line(arrival.uploader),
        licence=one_line(arrival.licence),
        sha256=_sha256(arrival.path),
        size_bytes=arrival.path.stat().st_size,
        width=held.width,
        height=held.height,
        fps=held.fps,
        duration_s=held.duration_s,
        notes=held.notes,
    )


def _probed(path: Path, origin: str, settings: VideoSettings) -> Probe:
    """Look at a file of a stranger: first at its boxes, then at what it claims, and only then at its pictures."""
    check_whole(path)
    check_bounds(path, settings)
    held = probe(path)
    if not settings.duration_min_s <= held.duration_s <= settings.duration_max_s:
        bounds = f"{settings.duration_min_s:g} to {settings.duration_max_s:g} s"
        raise UnwantedVideo(f"{origin} lasts {held.duration_s:.1f} s; accepted are {bounds}")
    if held.fps > settings.fps_max:
        raise UnwantedVideo(f"{origin} shows {held.fps:.4g} frames a second: more than video.fps_max")
    check_decodes(path)
    return held


def _place(draft: Path, source: Source, folder: Path) -> None:
    """Move the video to its place and then, as the sign that it is whole, its description."""
    description = draft.with_name(SOURCE_NOTES)
    description.write_text(json.dumps(asdict(source), indent=1))
    (folder / SOURCE_NOTES).unlink(missing_ok=True)
    for path, name in ((draft, SOURCE_VIDEO), (description, SOURCE_NOTES)):
        flush(path)
        path.replace(folder / name)
    flush(folder)


def _sha256(path: Path) -> str:
    with path.open("rb") as reader:
        return hashlib.file_digest(reader, "sha256").hexdigest()


@contextmanager
def _full_disk_told_apart() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in NO_SPACE:
            raise DiskFull(f"no space left for {error.filename or 'the video'}: free some and run again") from error
        raise DownloadError(f"the video could not be written: {error}") from error
