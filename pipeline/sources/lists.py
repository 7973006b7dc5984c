"""Reads lists of videos: CSV and Parquet with ids or URLs, and RealEstate10K's folders of text files.

A table has a column ``id`` (also ``video_id``, ``youtube_id``, ``ytid``) with YouTube's ids or ``url`` (also ``link``),
and may have ``start`` and ``end`` in seconds, ``title``, ``duration``, ``published``; several rows may name stretches
of one video. A CSV without a header is taken as id, start, end. A text file of RealEstate10K (Zhou et al. 2018,
section 4) has the video's URL in its first line and then one line a frame that begins with its time in microseconds.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.contract.errors import BrokenListing, ForbiddenAddress
from pipeline.contract.records import Segment
from pipeline.sources.dates import as_seconds, as_time
from pipeline.sources.rules import FoundVideo
from pipeline.sources.video_source import YOUTUBE_VIDEO_ID, YOUTUBE_WATCH
from pipeline.sources.web.explain import one_line
from pipeline.sources.web.guard import checked
from pipeline.sources.web.settings import WebSettings
from pipeline.store.row_groups import oversized

COLUMNS = {
    "id": ("id", "video_id", "youtube_id", "ytid"),
    "url": ("url", "link", "video_url"),
    "start": ("start", "start_s", "start_time"),
    "end": ("end", "end_s", "end_time"),
    "title": ("title",),
    "duration": ("duration", "duration_s"),
    "published": ("published", "upload_date"),
}
HEADERLESS = ("id", "start", "end")
LINE_MAX = 64 * 1024
FRAME_S = 1 / 30
"""How long RealEstate10K's last frame of a clip is shown."""


def read_list(path: Path, row_group_bytes_max: int = WebSettings().row_group_bytes_max) -> Iterator[FoundVideo]:
    """Yield the videos of a list in its order; a video named by several rows comes with each of them.

    Args:
        path: a ``.csv``, ``.tsv``, ``.txt`` or ``.parquet`` file, or a folder of RealEstate10K's text files.
        row_group_bytes_max: memory that a row group of a Parquet file may take.

    Raises:
        BrokenListing: it cannot be read, or a row is no video.
    """
    try:
        if path.is_dir():
            yield from (_realestate(file) for file in sorted(path.glob("*.txt")))
        elif path.suffix.lower() == ".parquet":
            yield from _parquet(path, row_group_bytes_max)
        else:
            yield from _csv(path)
    except (OSError, UnicodeDecodeError, csv.Error, pa.ArrowException) as error:
        raise BrokenListing(f"{path} cannot be read: {error}") from error


def _parquet(path: Path, row_group_bytes_max: int) -> Iterator[FoundVideo]:
    with pq.ParquetFile(path) as file:
        columns = list(_columns(file.schema_arrow.names, path).values())
        reason = oversized(path, row_group_bytes_max, columns)
        if reason:
            raise BrokenListing(f"{path}: {reason}")
        for batch in file.iter_batches(batch_size=1000, columns=columns):
            for row in batch.to_pylist():
                yield _of_row({key: "" if value is None else str(value) for key, value in row.items()}, path)


def _csv(path: Path) -> Iterator[FoundVideo]:
    csv.field_size_limit(LINE_MAX)
    with path.open(newline="", encoding="utf-8-sig") as file:
        lines = csv.reader(file, delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
        first = next(lines, [])
        has_header = bool(set(_plain(first)) & {*COLUMNS["id"], *COLUMNS["url"]})
        names = _plain(first) if has_header else list(HEADERLESS)
        rows: Iterable[list[str]] = lines if has_header else chain([first], lines)
        for row in rows:
            if any(cell.strip() for cell in row):
                yield _of_row(dict(zip(names, row, strict=False)), path)


def _plain(names: Iterable[str]) -> list[str]:
    return [name.strip().lower() for name in names]


def _columns(names: Iterable[str], path: Path) -> dict[str, str]:
    """Return which of the columns says what."""
    by_name = {name.strip().lower(): name for name in names}
    found = {what: next((by_name[n] for n in known if n in by_name), "") for what, known in COLUMNS.items()}
    if not (found["id"] or found["url"]):
        raise BrokenListing(f"{path} has neither a column {COLUMNS['id'][0]!r} nor {COLUMNS['url'][0]!r}")
    return {what: name for what, name in found.items() if name}


def _of_row(row: Mapping[str, str], path: Path) -> FoundVideo:
    values = {what: row.get(name, "").strip() for what, name in _columns(row, path).items()}
    start, end = as_seconds(values.get("start")), as_seconds(values.get("end"))
    if start is not None and end is not None and end <= start:
        raise BrokenListing(f"{path}: a stretch from {start:g} to {end:g} s holds nothing")
    is_stretch = start is not None or end is not None
    return FoundVideo(
        origin=_origin(values, path),
        title=one_line(values.get("title", "")),
        published=as_time(values.get("published", "")),
        duration_s=as_seconds(values.get("duration")),
        segments=(Segment(start or 0.0, float("inf") if end is None else end),) if is_stretch else (),
    )


def _origin(values: Mapping[str, Any], path: Path) -> str:
    for written in (values.get("id", ""), values.get("url", "")):
        if YOUTUBE_VIDEO_ID.fullmatch(written):
            return f"{YOUTUBE_WATCH}{written}"
        if "://" in written:
            return _web_address(written, path)
    given = one_line(values.get("id") or values.get("url") or "")
    raise BrokenListing(f"{path}: {given!r} is no id of YouTube's and no URL")


def _web_address(written: str, path: Path) -> str:
    try:
        checked(written)
    except ForbiddenAddress as error:
        raise BrokenListing(f"{path}: {error}") from error
    return written


def _realestate(path: Path) -> FoundVideo:
    with path.open(encoding="utf-8") as file:
        origin = _origin({"url": file.readline(LINE_MAX).strip()}, path)
        try:
            times = [int(line.split(maxsplit=1)[0]) / 1e6 for line in file if line.strip()]
        except (ValueError, OverflowError) as error:
            raise BrokenListing(f"{path}: a line does not begin with a time in microseconds") from error
    segments = (Segment(min(times), max(times) + FRAME_S),) if times else ()
    return FoundVideo(origin, segments=segments)
