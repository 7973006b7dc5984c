"""Stage ``video``: bring one video into a folder, verified, with what is known about it.

The video grows in a subfolder and is moved to ``source.mp4`` when it is whole and decodes; ``source.json`` follows
last. A fetch that was killed is taken up again where it stopped. The name says nothing of the container: readers
look at the content.
"""

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field

from pipeline.errors import (
    BrokenVideo,
    DiskFull,
    DownloadError,
    DownloadGone,
    DownloadRefused,
    DownloadTransient,
    VideoError,
)
from pipeline.media import check_decodes, probe
from pipeline.records import Source
from pipeline.sources import VideoSource, video_id
from pipeline.tours.settings import TourSettings

VIDEO = "source.mp4"
METADATA = "source.json"
DRAFTS = ".draft"
LONGEST_TEXT = 300
BLOCK_BYTES = 1 << 20
NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
GONE_STATUS = (404, 410)
REFUSED_STATUS = (401, 402, 403, 407, 429, 451)
GONE_WORDS = ("private video", "video unavailable", "has been removed", "no longer available", "does not exist")
REFUSED_WORDS = ("not a bot", "sign in", "login", "rate-limit", "geo restriction", "not available in your country")

Progress = Callable[[str, float], None]


class DownloadSettings(BaseModel):
    """What is accepted as a video and how it is asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    height_max: int = Field(
        720, ge=144, le=4320, description="rows of the largest format asked for; frames are stored with 480"
    )
    duration_min_s: float = Field(0, ge=0, description="shortest video accepted, seconds")
    duration_max_s: float = Field(3600, gt=0, le=86400, description="longest video accepted, seconds")
    bytes_max: int = Field(4 * 1024**3, ge=1024, description="largest file accepted, bytes")
    timeout_s: float = Field(20, gt=0, le=600, description="seconds without an answer after which a host has failed")
    retries: int = Field(3, ge=0, le=100, description="times that a broken transfer is taken up again")
    tour: TourSettings = Field(TourSettings(), description="how rendered tours are built and filmed")

    def decisive(self) -> dict[str, Any]:
        """Return the settings that decide which video arrives; patience and bounds do not."""
        return self.model_dump(mode="json", include={"height_max", "tour"})


@dataclass(frozen=True)
class _Arrival:
    """A file that arrived and what its origin says about it."""

    path: Path
    title: str
    uploader: str = ""
    licence: str = ""


def fetch(
    source: VideoSource, folder: Path, settings: DownloadSettings, progress: Progress = lambda *_: None
) -> Source:
    """Put a video into ``folder`` as ``source.mp4`` and describe it in ``source.json``.

    Nothing is done where both are there already and agree. ``folder`` is worked on by one process at a time.

    Args:
        source: a rendered tour, a local file or a URL.
        folder: where to put it; made if it is missing.
        settings: of this stage.
        progress: told a note and the share done, 0 to 1.

    Raises:
        BrokenVideo: what arrived is no video, or is shorter, longer or larger than the settings accept.
        DownloadGone, DownloadRefused, DownloadTransient: there is no such video, or its host does not give it.
        DiskFull: no space; nothing half-written is left.
    """
    present = read_source(folder)
    if present is not None and present.origin == source.origin:
        return present
    drafts = folder / DRAFTS
    try:
        with _full_disk_told_apart():
            drafts.mkdir(parents=True, exist_ok=True)
            arrival = _FETCHERS[source.kind](source, drafts, settings, progress)
            described = _verified(source, arrival, settings)
            _place(arrival.path, described, folder)
    except DownloadTransient:
        raise
    except VideoError:
        shutil.rmtree(drafts, ignore_errors=True)
        raise
    shutil.rmtree(drafts, ignore_errors=True)
    progress("done", 1.0)
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


def _render(source: VideoSource, drafts: Path, settings: DownloadSettings, progress: Progress) -> _Arrival:
    from pipeline.tours import Tour

    path = drafts / "tour.mp4"
    tour = Tour.from_seed(source.seed, settings.tour)
    tour.write_video(path, lambda frame, count: progress(f"frame {frame} of {count}", frame / count))
    return _Arrival(path, f"Rendered tour {source.seed}", "pipeline.tours", "CC0-1.0")


def _copy(source: VideoSource, drafts: Path, settings: DownloadSettings, progress: Progress) -> _Arrival:
    original, path = Path(source.origin), drafts / "copy"
    try:
        size = original.stat().st_size
        if size > settings.bytes_max:
            raise BrokenVideo(f"{original.name} holds {size} bytes, more than {settings.bytes_max}")
        with original.open("rb") as reader, path.open("wb") as writer:
            while block := reader.read(BLOCK_BYTES):
                writer.write(block)
                progress("copying", writer.tell() / max(size, 1))
    except FileNotFoundError as error:
        raise DownloadGone(f"{original} does not exist") from error
    except (PermissionError, IsADirectoryError) as error:
        raise DownloadRefused(f"{original} cannot be read: {error.strerror}") from error
    return _Arrival(path, original.stem)


def _download(source: VideoSource, drafts: Path, settings: DownloadSettings, progress: Progress) -> _Arrival:
    from yt_dlp import YoutubeDL
    from yt_dlp.utils import YoutubeDLError

    path = drafts / "download"
    try:
        with YoutubeDL(_ytdlp_options(path, settings, progress)) as client:
            found = client.extract_info(source.origin, download=True)
    except YoutubeDLError as error:
        raise _explained(error, source.origin) from error
    video = next(iter(found["entries"]), {}) if "entries" in found else found
    if not path.is_file():
        raise BrokenVideo(f"{source.origin} leads to no video")
    stem = Path(unquote(urlsplit(source.origin).path)).stem
    return _Arrival(path, video.get("title") or stem, video.get("uploader") or "", video.get("license") or "")


def _ytdlp_options(path: Path, settings: DownloadSettings, progress: Progress) -> dict[str, Any]:
    tall = f"[height<=?{settings.height_max}]"

    def on_progress(state: dict[str, Any]) -> None:
        size, total = state.get("downloaded_bytes") or 0, state.get("total_bytes") or state.get("total_bytes_estimate")
        if max(size, total or 0) > settings.bytes_max:
            raise BrokenVideo(f"the video holds more than {settings.bytes_max} bytes")
        progress(f"{size / 1e6:.1f} MB", min(1.0, size / total) if total else 0.0)

    return {
        "outtmpl": {"default": str(path).replace("%", "%%")},
        "format": f"bv{tall}/bv*{tall}/b{tall}/bv*/b",
        "noplaylist": True,
        "playlist_items": "1",
        "socket_timeout": settings.timeout_s,
        "retries": settings.retries,
        "fragment_retries": settings.retries,
        "file_access_retries": 0,
        "extractor_retries": settings.retries,
        "skip_unavailable_fragments": False,
        "fixup": "never",
        "cachedir": False,
        "updatetime": False,
        "quiet": True,
        "no_warnings": True,
        "noprogress": True,
        "logger": _Silence(),
        "progress_hooks": [on_progress],
    }


class _Silence:
    """Keeps yt-dlp off the screen: what it has to say comes as an exception or as progress."""

    def debug(self, message: str) -> None:
        """Drop what is said for developers."""

    warning = error = info = debug


def _explained(error: Exception, origin: str) -> VideoError:
    """Turn what yt-dlp raised into the error that tells the caller what to do."""
    text = str(error).lower()
    message = f"{origin}: {_one_line(str(error))}"
    status = next((s for cause in _causes(error) if isinstance(s := getattr(cause, "status", None), int)), None)
    if any(code in NO_SPACE for cause in _causes(error) if (code := getattr(cause, "errno", None))) or _no_space(text):
        return DiskFull(f"no space left while fetching {origin}")
    if status in GONE_STATUS or any(words in text for words in GONE_WORDS):
        return DownloadGone(message)
    if status in REFUSED_STATUS or any(words in text for words in REFUSED_WORDS):
        return DownloadRefused(message)
    if "unsupported url" in text or "no video" in text or "requested format is not available" in text:
        return BrokenVideo(f"{origin} leads to no video")
    return DownloadTransient(message)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and everything behind it; yt-dlp keeps the origin in ``exc_info`` and ``cause``."""
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        cause = waiting.pop()
        if isinstance(cause, BaseException) and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            behind = (getattr(cause, "exc_info", None) or (None, None))[1]
            waiting += [behind, getattr(cause, "cause", None), cause.__cause__, cause.__context__]


def _no_space(text: str) -> bool:
    return any(f"[errno {code}]" in text for code in NO_SPACE)


def _verified(source: VideoSource, arrival: _Arrival, settings: DownloadSettings) -> Source:
    held = probe(arrival.path)
    if not settings.duration_min_s <= held.duration_s <= settings.duration_max_s:
        bounds = f"{settings.duration_min_s:g} to {settings.duration_max_s:g} s"
        raise BrokenVideo(f"{source.origin} lasts {held.duration_s:.1f} s; accepted are {bounds}")
    check_decodes(arrival.path)
    return Source(
        video_id=video_id(source),
        origin=source.origin,
        title=_one_line(arrival.title),
        uploader=_one_line(arrival.uploader),
        licence=_one_line(arrival.licence),
        sha256=_sha256(arrival.path),
        size_bytes=arrival.path.stat().st_size,
        width=held.width,
        height=held.height,
        fps=held.fps,
        duration_s=held.duration_s,
    )


def _one_line(text: object) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())[:LONGEST_TEXT]


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


_FETCHERS: dict[str, Callable[[VideoSource, Path, DownloadSettings, Progress], _Arrival]] = {
    "tour": _render,
    "file": _copy,
    "url": _download,
}
