"""Fetches one video from the web through yt-dlp: the smallest format that is enough, resumed by Range.

What a transfer began with (ETag, length) is kept beside the part, so that a video that changed under the same address
is begun anew rather than joined from two halves.
"""

import functools
import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from yt_dlp.networking.common import Request, Response
from yt_dlp.networking.exceptions import HTTPError
from yt_dlp.utils import YoutubeDLError

from models.json_text import parsed_json
from pipeline.contract.errors import BrokenVideo, ChangedMeanwhile, DiskFull, DownloadError, NotYet, UnwantedVideo
from pipeline.contract.progress import Progress
from pipeline.sources.listings import found_video
from pipeline.sources.rules import SourceRules
from pipeline.sources.video_source import VideoSource
from pipeline.sources.web.client import WebClient
from pipeline.sources.web.entry_checks import announced, check_ready
from pipeline.sources.web.explain import explained, speaks_of_release
from pipeline.sources.web.hosts import Hosts
from pipeline.stages.video.arrival import TASK, Arrival
from pipeline.stages.video.settings import VideoSettings

NAME = "download"
BEGUN = "begun.json"


def download(
    source: VideoSource,
    drafts: Path,
    settings: VideoSettings,
    rules: SourceRules,
    hosts: Hosts | None,
    progress: Progress,
) -> Arrival:
    """Fetch a URL into ``drafts``; raises as ``fetch``."""
    path = drafts / NAME
    options = _options(path, source, settings, rules, progress)
    free = shutil.disk_usage(drafts).free
    if free < settings.free_bytes_min:
        raise DiskFull(f"{free} bytes are free, {settings.free_bytes_min} are to stay: free some and run again")
    warnings: list[str] = []
    try:
        with _Transfer(options, path, settings, source.named_urls, hosts) as client:
            warnings = client.warnings
            found = client.extract_info(source.origin, download=True)
    except YoutubeDLError as error:
        if speaks_of_release(error):
            raise _announced(source, settings, hosts) from error
        raise explained(error, source.origin, warnings) from error
    video = next(iter(found["entries"]), {}) if "entries" in found else found
    if not path.is_file():
        raise BrokenVideo(f"{source.origin} leads to no video")
    stem = Path(unquote(urlsplit(source.origin).path)).stem
    return Arrival(path, video.get("title") or stem, video.get("uploader") or "", video.get("license") or "")


def _announced(source: VideoSource, settings: VideoSettings, hosts: Hosts | None) -> NotYet:
    """Look once more at the page of a video that is announced: for its release time, which the error does not tell."""
    options = {"ignore_no_formats_error": True, "noplaylist": True, "socket_timeout": settings.timeout_s}
    entry: dict[str, Any] = {}
    try:
        with WebClient(options, settings.web, source.named_urls, hosts) as client:
            entry = client.extract_info(source.origin, download=False, process=False) or {}
            check_ready({**entry, "original_url": source.origin}, settings.web)
    except NotYet as error:
        return error
    except (YoutubeDLError, DownloadError):
        pass
    return announced(source.origin, entry.get("release_timestamp"), settings.web)


@dataclass(frozen=True)
class _Begun:
    """What the answer that a part began with says of the whole file; length in bytes, or None where it says nothing."""

    etag: str
    modified: str
    length: int | None

    def contradicts(self, other: "_Begun") -> bool:
        """Tell whether two answers cannot be about the same file."""
        pairs = ((self.etag, other.etag), (self.modified, other.modified), (self.length, other.length))
        return any(mine and theirs and mine != theirs for mine, theirs in pairs)


class _Transfer(WebClient):
    """A client that remembers what the file at ``path`` was begun with."""

    def __init__(
        self,
        options: dict[str, Any],
        path: Path,
        settings: VideoSettings,
        named: tuple[str, ...],
        hosts: Hosts | None,
    ) -> None:
        self._part = path.with_name(f"{path.name}.part")
        self._note = path.with_name(BEGUN)
        super().__init__(options, settings.web, named, hosts)

    def urlopen(self, req: Any) -> Response:
        """Ask, and compare the answer with the one that the part began with."""
        request = Request(req) if isinstance(req, str) else req
        begun = self._begun()
        resumes = not request.headers.get("Range", "bytes=0-").startswith("bytes=0-")
        if resumes and begun and (begun.etag or begun.modified) and not begun.etag.startswith("W/"):
            request.headers["If-Range"] = begun.etag or begun.modified
        try:
            response = super().urlopen(request)
        except HTTPError as error:
            # yt-dlp would ask again with the same Range: whatever the part is, it is not the beginning of this file.
            if resumes and error.status == 416:
                raise ChangedMeanwhile(
                    f"{urlsplit(request.url).hostname} has no more than the part: begun anew"
                ) from error
            raise
        described = _described(response)
        if resumes and response.status == 206:
            if begun and begun.contradicts(described):
                response.close()
                raise ChangedMeanwhile(f"{urlsplit(request.url).hostname} gives another file than before: begun anew")
        elif resumes or not (self._part.exists() and self._part.stat().st_size):
            self._note.write_text(json.dumps(asdict(described)))
        return response

    def _begun(self) -> _Begun | None:
        try:
            return _Begun(**parsed_json(self._note.read_text()))
        except (OSError, ValueError, TypeError):
            return None


def _described(response: Response) -> _Begun:
    headers = response.headers
    total = str(headers.get("Content-Range", "")).rpartition("/")[2] or headers.get("Content-Length") or ""
    encoded = headers.get("Content-Encoding")
    length = int(total) if total.isascii() and total.isdigit() and not encoded else None
    return _Begun(headers.get("ETag") or "", headers.get("Last-Modified") or "", length)


def _options(
    path: Path, source: VideoSource, settings: VideoSettings, rules: SourceRules, progress: Progress
) -> dict[str, Any]:
    height = rules.height_max or settings.height_max
    tall = f"[height<=?{height}]"
    return {
        "outtmpl": {"default": str(path).replace("%", "%%")},
        # Video alone where the host offers it; of the tallest that are allowed the smallest file.
        "format": f"bv{tall}/bv*{tall}/b{tall}/bv*/b",
        "format_sort": [f"res:{height}", "+size", "+br"],
        "noplaylist": True,
        "playlist_items": "1",
        "socket_timeout": settings.timeout_s,
        "retries": settings.retries,
        "fragment_retries": settings.retries,
        "file_access_retries": 0,
        "extractor_retries": settings.retries,
        "skip_unavailable_fragments": False,
        "fixup": "never",
        "updatetime": False,
        "match_filter": functools.partial(_refuse_unwanted, source, settings, rules),
        "progress_hooks": [functools.partial(_watch, settings, progress)],
    }


def _refuse_unwanted(
    source: VideoSource, settings: VideoSettings, rules: SourceRules, entry: dict[str, Any], *, incomplete: bool
) -> None:
    """Raise before anything is fetched; yt-dlp takes a None as consent."""
    found = found_video(source.origin, entry)
    check_ready({**entry, "original_url": source.origin}, settings.web)
    if found.duration_s is not None and found.duration_s > settings.duration_max_s:
        raise UnwantedVideo(f"{source.origin} lasts {found.duration_s:.0f} s, more than {settings.duration_max_s:g}")
    objection = rules.objection(found, final=not incomplete)
    if objection:
        raise UnwantedVideo(f"{source.origin}: {objection}")


def _watch(settings: VideoSettings, progress: Progress, state: dict[str, Any]) -> None:
    size, total = state.get("downloaded_bytes") or 0, state.get("total_bytes") or state.get("total_bytes_estimate")
    if max(size, total or 0) > settings.bytes_max:
        raise UnwantedVideo(f"the video holds more than {settings.bytes_max} bytes")
    progress(TASK, min(size, total) if total else 0, total or 1, f"{size / 1e6:.1f} MB")
