"""Where videos come from: what a user may name as a source, and the id under which each video is stored.

A source is ``tour://SEED`` (``?world=hard`` behind it), a local video file or folder, or an http(s) URL. Nothing of a
source becomes part of a path but the video id, which is built here from safe characters alone.
"""

import hashlib
import os
import re
from pathlib import Path
from typing import Literal
from urllib.parse import SplitResult, parse_qs, urlsplit

from pydantic import BaseModel, ConfigDict

from pipeline.contract.errors import BrokenListing, SettingsError
from pipeline.contract.tour_origin import TOUR_SCHEME, TourOrigin
from pipeline.sources.entries import SourceEntry, SourceKind, SourceList, read_entries, with_scheme
from pipeline.sources.skipped import SkippedRows

VIDEO_SUFFIXES = frozenset(
    [
        ".mp4",
        ".m4v",
        ".mov",
        ".insv",
        ".3gp",
        ".3g2",
        ".mkv",
        ".webm",
        ".avi",
        ".flv",
        ".mpg",
        ".mpeg",
        ".vob",
        ".ts",
        ".mts",
        ".m2ts",
        ".asf",
        ".wmv",
        ".ogv",
    ]
)
YOUTUBE_HOSTS = frozenset({"youtube.com", "www.youtube.com", "m.youtube.com", "youtu.be"})
YOUTUBE_ID = r"([A-Za-z0-9_-]{11})"
YOUTUBE_VIDEO_ID = re.compile(YOUTUBE_ID)
YOUTUBE_WATCH = "https://www.youtube.com/watch?v="
LONGEST_STEM = 40
LOCAL_KINDS = frozenset({SourceKind.SOURCE, SourceKind.VIDEO, SourceKind.FOLDER})


class VideoSource(BaseModel):
    """One video: ``tour://SEED``, the absolute path of a file, or an http(s) URL.

    listed_by: the entry that led to this video; empty where the user named the video itself.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["tour", "file", "url"]
    origin: str
    listed_by: str = ""

    @classmethod
    def of_origin(cls, origin: str, listed_by: str = "") -> "VideoSource":
        """Return the source of an origin that ``parse_source`` gave before; nothing is looked up or checked again."""
        scheme = origin.partition("://")[0]
        kind: Literal["tour", "file", "url"] = "tour" if scheme == "tour" else "url"
        return cls(kind=kind if "://" in origin else "file", origin=origin, listed_by=listed_by)

    @property
    def video_id(self) -> str:
        """Id of the video, ``[A-Za-z0-9_-]{1,64}``: the same for the same source, on every run."""
        if self.kind == "tour":
            return self.tour.video_id
        if self.kind == "file":
            return _name_and_hash(Path(self.origin).stem, self.origin)
        url = urlsplit(self.origin)
        return _youtube_id(url) or _name_and_hash(f"{url.hostname}-{Path(url.path).stem}", self.origin)

    @property
    def tour(self) -> TourOrigin:
        """Which tour is to be rendered; other kinds are none (``ValueError``)."""
        return TourOrigin.of(self.origin)

    @property
    def seed(self) -> int:
        """Seed of a rendered tour; other kinds have none (``ValueError``)."""
        return self.tour.seed

    @property
    def named_urls(self) -> tuple[str, ...]:
        """The URLs that the user wrote down and that led here: their hosts may lie in private networks."""
        written = self.listed_by.split(" ")[-1] if self.listed_by else self.origin
        return (written,) if written.startswith(("http://", "https://")) else ()


def read_sources(text: str) -> list[VideoSource]:
    """Return the videos that a sources file or a list of sources names, each video once.

    A folder stands for the video files in it, at any depth; hidden ones and names with unprintable characters
    are passed over. A file that does not exist is a source all the same: fetching it says that it is gone.

    Args:
        text: path of a ``.yaml`` file with ``sources: [...]``, or sources separated by blanks (quoted where
            they hold blanks themselves). Paths in a file are relative to that file's folder.

    Raises:
        SettingsError: the file or a source cannot be understood, or names nothing.
        BrokenListing: a folder is not there.
    """
    listed = read_entries(text)
    videos = [video for entry in listed.entries for video in local_videos(entry, listed.folder)]
    if not videos:
        raise SettingsError(f"{text!r} names no video")
    return list({video.video_id: video for video in videos}.values())


def local_videos(entry: SourceEntry, folder: Path) -> list[VideoSource]:
    """Return the videos that an entry names by itself, without anybody being asked.

    Raises:
        SettingsError: it names none, or a listing that has to be asked for.
        BrokenListing: it names a folder that is not there.
    """
    return local_listing(entry, folder)


def local_listing(entry: SourceEntry, folder: Path, skipped: SkippedRows | None = None) -> list[VideoSource]:
    """Return what ``local_videos`` does; ``skipped`` takes note of what else lies in a folder."""
    if entry.kind not in LOCAL_KINDS:
        raise SettingsError(f"{entry.name!r} has to be asked for its videos: use `youtube-occ sources`")
    if entry.kind is SourceKind.FOLDER and is_away(entry, folder):
        raise BrokenListing(f"there is no folder {entry.source}: is it written right, and its disk attached?")
    return _expand(entry.source, folder, skipped)


def is_away(entry: SourceEntry, folder: Path) -> bool:
    """Tell whether an entry names a folder of this machine that is not there."""
    if entry.kind is not SourceKind.FOLDER or "://" in entry.source:
        return False
    try:
        return not local_path(entry, folder).is_dir()
    except OSError:  # such as a name longer than any file may have
        return True


def local_path(entry: SourceEntry, folder: Path) -> Path:
    """Return the path that an entry names; raises ``SettingsError``."""
    return (folder / _expanded(entry.source)).resolve()


def names(listed: SourceList, source: VideoSource) -> bool:
    """Tell whether sources name this video by themselves; listings that have to be asked for are not looked into."""
    local = (entry for entry in listed.entries if entry.kind in LOCAL_KINDS and not is_away(entry, listed.folder))
    return any(source.video_id == video.video_id for entry in local for video in local_videos(entry, listed.folder))


def parse_source(text: str, folder: Path = Path()) -> VideoSource:
    """Return the one video that ``text`` names, be it there or not; relative paths start at ``folder``.

    Raises:
        SettingsError: it is neither a tour, nor a local file, nor an http(s) URL.
    """
    videos = _expand(text, folder)
    if len(videos) != 1:
        raise SettingsError(f"{text!r} names {len(videos)} videos, not one")
    return videos[0]


def _expand(text: str, folder: Path, skipped: SkippedRows | None = None) -> list[VideoSource]:
    text = with_scheme(text)
    scheme, separator, rest = text.partition("://")
    if not separator:
        return _local_videos(text, folder, skipped)
    if scheme.lower() == "tour":
        return [_tour(rest)]
    if scheme.lower() in {"http", "https"}:
        return [_url(text)]
    raise SettingsError(f"{text!r}: {scheme}:// is not supported; use tour://, http(s):// or a path")


def _tour(named: str) -> VideoSource:
    try:
        return VideoSource(kind="tour", origin=TourOrigin.of(TOUR_SCHEME + named).name)
    except ValueError as error:
        raise SettingsError(str(error)) from error


def _url(text: str) -> VideoSource:
    try:
        url = urlsplit(text)
        is_complete = bool(url.hostname) and url.port != 0
    except ValueError as error:
        raise SettingsError(f"{text!r} is no URL: {error}") from error
    if not is_complete or not text.isprintable() or " " in text:
        raise SettingsError(f"{text!r} is no complete URL")
    if url.username is not None or url.password is not None:
        raise SettingsError(
            f"the URL for {url.hostname} holds a user name or password, which would be stored: remove it"
        )
    return VideoSource(kind="url", origin=text)


def _local_videos(text: str, folder: Path, skipped: SkippedRows | None) -> list[VideoSource]:
    if not text.isprintable() or re.match(r"[A-Za-z][A-Za-z0-9+.-]+:", text):
        raise SettingsError(f"{text!r} is neither a path nor a source with ://")
    try:
        path = (folder / _expanded(text)).resolve()
        is_folder = path.is_dir()
    except OSError as error:
        raise SettingsError(f"{text[:80]!r} is no path: {error.strerror}") from error
    if is_folder:
        return [VideoSource(kind="file", origin=str(found)) for found in _videos_in(path, skipped)]
    return [VideoSource(kind="file", origin=str(path))]


def _expanded(text: str) -> Path:
    """Return a path with ``~`` and ``~user`` at its start replaced, which no shell does inside SOURCES or a file."""
    try:
        return Path(text).expanduser() if text.startswith("~") else Path(text)
    except RuntimeError as error:
        raise SettingsError(f"{text!r}: there is no such user; write ./{text} for a file of that name") from error


def _videos_in(folder: Path, skipped: SkippedRows | None) -> list[Path]:
    """Return the videos of a folder; subfolders that vanish or may not be read meanwhile are passed over."""
    skipped, videos = skipped or SkippedRows(), []
    for path in (Path(parent) / name for parent, _, names in os.walk(folder) for name in names):
        within = path.relative_to(folder)
        if any(part.startswith(".") for part in within.parts):
            continue
        if path.suffix.lower() not in VIDEO_SUFFIXES:
            ending = path.suffix.lower() or "without an ending"
            skipped.other_files[ending] = skipped.other_files.get(ending, 0) + 1
        elif not str(within).isprintable():
            skipped.add(ascii(str(within)), "its name holds characters that cannot be printed: rename it")
        else:
            videos.append(path)
    return sorted(videos)


def _youtube_id(url: SplitResult) -> str | None:
    if url.hostname == "youtu.be":
        found = re.fullmatch(f"/{YOUTUBE_ID}/?", url.path)
    elif url.hostname not in YOUTUBE_HOSTS:
        return None
    elif url.path == "/watch":
        found = re.fullmatch(YOUTUBE_ID, parse_qs(url.query).get("v", [""])[0])
    else:
        found = re.fullmatch(f"/(?:shorts|embed|live|v)/{YOUTUBE_ID}/?", url.path)
    return found[1] if found else None


def _name_and_hash(name: str, whole: str) -> str:
    stem = re.sub(r"[^A-Za-z0-9_]+", "-", name).strip("-")[:LONGEST_STEM] or "video"
    return f"{stem}-{hashlib.sha256(whole.encode()).hexdigest()[:10]}"
