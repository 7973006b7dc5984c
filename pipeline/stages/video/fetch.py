"""Stage ``video``: bring one video into a folder, verified, with what is known about it.

The video grows in a subfolder and is moved to ``source.mp4`` when it is whole and decodes; ``source.json`` follows
last. A fetch that was killed is taken up again where it stopped. The name says nothing of the container: readers
look at the content.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from pipeline.contract.errors import (
    BrokenVideo,
    ChangedMeanwhile,
    DiskFull,
    DownloadError,
    DownloadGone,
    DownloadRefused,
    DownloadTransient,
    HostResting,
    UnwantedVideo,
    VideoError,
)
from pipeline.contract.records import Source
from pipeline.media import check_decodes, probe
from pipeline.sources.rules import SourceRules
from pipeline.sources.video_source import VideoSource, video_id
from pipeline.sources.web.explain import NO_SPACE, one_line
from pipeline.sources.web.hosts import Hosts
from pipeline.stages.video.arrival import BLOCK_BYTES, Arrival, Progress
from pipeline.stages.video.containers import check_whole
from pipeline.stages.video.settings import DownloadSettings

VIDEO = "source.mp4"
METADATA = "source.json"
DRAFTS = ".draft"
RESUMABLE = (DownloadTransient, DownloadRefused, HostResting)
"""Errors after which what has arrived is kept, to be taken up again."""


@dataclass(frozen=True)
class Order:
    """What is to be fetched and how: the video, its source's rules, the settings, the paces of hosts."""

    source: VideoSource
    settings: DownloadSettings
    rules: SourceRules
    hosts: Hosts | None


def fetch(
    source: VideoSource,
    folder: Path,
    settings: DownloadSettings,
    progress: Progress = lambda *_: None,
    rules: SourceRules | None = None,
    hosts: Hosts | None = None,
) -> Source:
    """Put a video into ``folder`` as ``source.mp4`` and describe it in ``source.json``.

    Nothing is done where both are there already and agree. ``folder`` is worked on by one process at a time. A URL
    whose video turns out broken, or that changes during the transfer, is asked for once more.

    Args:
        source: a rendered tour, a local file or a URL.
        folder: where to put it; made if it is missing.
        settings: of this stage.
        progress: told a note and the share done, 0 to 1.
        rules: of the source that lists the video.
        hosts: paces shared with other processes; without them nobody else is thought to ask.

    Raises:
        BrokenVideo: what arrived is no video; ``UnwantedVideo``: it is shorter, longer or larger than the settings
            accept, or the rules exclude it.
        DownloadGone, DownloadRefused, DownloadTransient: there is no such video, or its host does not give it.
        HostResting, ForbiddenAddress: the host was not asked.
        DiskFull: no space; nothing half-written is left.
    """
    present = read_source(folder)
    if present is not None and present.origin == source.origin:
        return present
    order = Order(source, settings, rules or SourceRules(), hosts)
    try:
        described = _fetched(order, folder, progress)
    except (BrokenVideo, ChangedMeanwhile) as error:
        if source.kind != "url" or isinstance(error, UnwantedVideo):
            raise
        described = _fetched(order, folder, progress)
    progress("done", 1.0)
    return described


def _fetched(order: Order, folder: Path, progress: Progress) -> Source:
    drafts = folder / DRAFTS
    try:
        with _full_disk_told_apart():
            drafts.mkdir(parents=True, exist_ok=True)
            arrival = _FETCHERS[order.source.kind](order, drafts, progress)
            described = _verified(order, arrival)
            _place(arrival.path, described, folder)
    except RESUMABLE:
        raise
    except VideoError:
        shutil.rmtree(drafts, ignore_errors=True)
        raise
    shutil.rmtree(drafts, ignore_errors=True)
    return described


def read_source(folder: Path) -> Source | None:
    """Return what ``source.json`` says if it is there and ``source.mp4`` is the file it describes, else None."""
    try:
        content = json.loads((folder / METADATA).read_text())
        source = Source(**{field.name: content[field.name] for field in fields(Source)})
        intact = (folder / VIDEO).stat().st_size == source.size_bytes and _sha256(folder / VIDEO) == source.sha256
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return source if intact else None


def _render(order: Order, drafts: Path, progress: Progress) -> Arrival:
    from pipeline.tours import Tour

    path, seed = drafts / "tour.mp4", order.source.seed
    tour = Tour.from_seed(seed, order.settings.tour)
    tour.write_video(path, lambda frame, count: progress(f"frame {frame} of {count}", frame / count))
    return Arrival(path, f"Rendered tour {seed}", "pipeline.tours", "CC0-1.0")


def _copy(order: Order, drafts: Path, progress: Progress) -> Arrival:
    original, path, settings = Path(order.source.origin), drafts / "copy", order.settings
    try:
        size = original.stat().st_size
        if size > settings.bytes_max:
            raise UnwantedVideo(f"{original.name} holds {size} bytes, more than {settings.bytes_max}")
        with original.open("rb") as reader, path.open("wb") as writer:
            while block := reader.read(BLOCK_BYTES):
                writer.write(block)
                progress("copying", writer.tell() / max(size, 1))
    except FileNotFoundError as error:
        raise DownloadGone(f"{original} does not exist") from error
    except (PermissionError, IsADirectoryError) as error:
        raise DownloadRefused(f"{original} cannot be read: {error.strerror}") from error
    return Arrival(path, original.stem)


def _download(order: Order, drafts: Path, progress: Progress) -> Arrival:
    from pipeline.stages.video.transfer import download

    return download(order.source, drafts, order.settings, order.rules, order.hosts, progress)


def _verified(order: Order, arrival: Arrival) -> Source:
    source, settings = order.source, order.settings
    check_whole(arrival.path)
    held = probe(arrival.path)
    if not settings.duration_min_s <= held.duration_s <= settings.duration_max_s:
        bounds = f"{settings.duration_min_s:g} to {settings.duration_max_s:g} s"
        raise UnwantedVideo(f"{source.origin} lasts {held.duration_s:.1f} s; accepted are {bounds}")
    check_decodes(arrival.path)
    return Source(
        video_id=video_id(source),
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
    )


def _place(draft: Path, source: Source, folder: Path) -> None:
    """Move the video to its place and then, as the sign that it is whole, its description."""
    description = draft.with_name(METADATA)
    description.write_text(json.dumps(asdict(source), indent=1))
    (folder / METADATA).unlink(missing_ok=True)
    for path, name in ((draft, VIDEO), (description, METADATA)):
        _flush(path)
        path.replace(folder / name)
    _flush(folder)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


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


_FETCHERS: dict[str, Callable[[Order, Path, Progress], Arrival]] = {
    "tour": _render,
    "file": _copy,
    "url": _download,
}
