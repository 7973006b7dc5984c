"""Reads lists of videos: CSV and Parquet with ids or URLs, and RealEstate10K's folders of text files.

A table has a column ``id`` (also ``video_id``, ``youtube_id``, ``ytid``) with YouTube's ids or ``url`` (also ``link``),
and may have ``start`` and ``end`` in seconds, ``title``, ``duration``, ``published``; several rows may name stretches
of one video. A table without a header is taken as id, start, end. A text file of RealEstate10K (Zhou et al. 2018,
section 4) has the video's URL in its first line and then one line a frame that begins with its time in microseconds.

A row that names no video is skipped alone, counted and named; only a list of which no row can be read is an error.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.contract.errors import BrokenListing, ForbiddenAddress
from pipeline.contract.records import Segment
from pipeline.sources.dates import as_seconds, as_time
from pipeline.sources.rules import FoundVideo
from pipeline.sources.skipped import SkippedRows
from pipeline.sources.text_rows import LINE_MAX, SEPARATORS, TextRow, TextRows, opened
from pipeline.sources.video_source import YOUTUBE_VIDEO_ID, YOUTUBE_WATCH
from pipeline.sources.web.explain import one_line
from pipeline.sources.web.guard import checked
from pipeline.sources.web.settings import WebSettings
from pipeline.store.row_groups import oversized

COLUMNS = {
    "id": ("id", "video_id", "youtube_id", "ytid", "videoid", "youtubeid"),
    "url": ("url", "link", "video_url"),
    "start": ("start", "start_s", "start_time", "start_seconds"),
    "end": ("end", "end_s", "end_time", "end_seconds"),
    "title": ("title",),
    "duration": ("duration", "duration_s"),
    "published": ("published", "upload_date"),
}
HEADERLESS = ("id", "start", "end")
NOTHING = ("nan", "none", "null", "na", "n/a", "nat", "-", "inf", "+inf", "infinity")
"""What programs write where a time is not known, or does not end."""

WITHOUT_SCHEME = re.compile(r"(?i)(?:[a-z0-9-]+\.)+[a-z]{2,}(?::[0-9]+)?/\S*")
FRAME_S = 1 / 30
"""How long RealEstate10K's last frame of a clip is shown."""


def read_list(
    path: Path,
    row_group_bytes_max: int = WebSettings().row_group_bytes_max,
    skipped: SkippedRows | None = None,
) -> Iterator[FoundVideo]:
    """Yield the videos of a list in its order; a video named by several rows comes with each of them.

    Args:
        path: a ``.csv``, ``.tsv``, ``.txt`` or ``.parquet`` file, or a folder of RealEstate10K's text files.
        row_group_bytes_max: memory that a row group of a Parquet file may take.
        skipped: takes note of the rows that name no video.

    Raises:
        BrokenListing: it cannot be read, or there are rows and none of them is a video.
    """
    skipped, read = SkippedRows() if skipped is None else skipped, 0
    before = skipped.count
    try:
        for found in _rows_of(path, row_group_bytes_max, skipped):
            read += 1
            yield found
    except (OSError, UnicodeError, pa.ArrowException) as error:
        raise BrokenListing(f"{path} cannot be read: {error}") from error
    if not read and skipped.count > before:
        first = "; ".join(skipped.named[before : before + 3])
        raise BrokenListing(f"{path}: not one of {skipped.count - before} rows is a video: {first}")


def _rows_of(path: Path, row_group_bytes_max: int, skipped: SkippedRows) -> Iterator[FoundVideo]:
    if path.is_dir():
        yield from _realestate_folder(path, skipped)
    elif path.suffix.lower() == ".parquet":
        yield from _parquet(path, row_group_bytes_max, skipped)
    else:
        yield from _text(path, skipped)


def _parquet(path: Path, row_group_bytes_max: int, skipped: SkippedRows) -> Iterator[FoundVideo]:
    number = 0
    with pq.ParquetFile(path) as file:
        by_what = _columns(file.schema_arrow.names)
        _refuse_nameless(by_what, path)
        columns = list(by_what.values())
        reason = oversized(path, row_group_bytes_max, columns)
        if reason:
            raise BrokenListing(f"{path}: {reason}")
        for batch in file.iter_batches(batch_size=1000, columns=columns):
            for row in batch.to_pylist():
                number += 1
                values = {key: "" if value is None else str(value) for key, value in row.items()}
                yield from _or_skipped(values, f"row {number}", skipped)


def _text(path: Path, skipped: SkippedRows) -> Iterator[FoundVideo]:
    csv.field_size_limit(LINE_MAX * 2)
    prefer = "\t" if path.suffix.lower() == ".tsv" else ","
    with opened(path) as file:
        rows = TextRows(file, partial(_separator, prefer), lambda cells: bool(cells) and _names_video(cells[0]))
        names: list[str] = []
        for row in rows:
            where = f"line {row.line}"
            if row.problem:
                skipped.add(where, row.problem)
                continue
            if not names:
                names = _header(row, rows) or list(HEADERLESS)
                if names == _plain(row.cells):
                    continue
            yield from _or_skipped(dict(zip(names, row.cells, strict=False)), where, skipped)


def _header(first: TextRow, rows: TextRows) -> list[str]:
    """Return the names of columns that the first row holds, or the comments before it; none where there are none."""
    if _is_header(_plain(first.cells)):
        return _plain(first.cells)
    commented = (_plain(rows.cells(line)) for line in reversed(rows.comments))
    return next((names for names in commented if len(names) > 1 and _is_header(names[:1])), [])


def _is_header(names: Iterable[str]) -> bool:
    return bool(set(names) & {*COLUMNS["id"], *COLUMNS["url"]})


def _separator(prefer: str, line: str) -> str:
    """Return what separates the cells of a list, by its first row: a header, or a video with times behind it."""
    for separator in sorted(SEPARATORS, key=lambda separator: separator != prefer):
        cells = [cell.strip().strip('"') for cell in line.split(separator)]
        is_row = len(cells) > 1 and _names_video(cells[0]) and _is_time(cells[1])
        if is_row or (len(cells) > 1 and _is_header(_plain(cells))):
            return separator
    return prefer


def _plain(names: Iterable[str]) -> list[str]:
    return [name.strip().lower() for name in names]


def _columns(names: Iterable[str]) -> dict[str, str]:
    """Return which of the columns says what."""
    by_name = {name.strip().lower(): name for name in names}
    found = {what: next((by_name[n] for n in known if n in by_name), "") for what, known in COLUMNS.items()}
    return {what: name for what, name in found.items() if name}


def _refuse_nameless(by_what: Mapping[str, str], path: Path) -> None:
    if not ("id" in by_what or "url" in by_what):
        raise BrokenListing(f"{path} has neither a column {COLUMNS['id'][0]!r} nor {COLUMNS['url'][0]!r}")


def _or_skipped(row: Mapping[str, str], where: str, skipped: SkippedRows) -> Iterator[FoundVideo]:
    try:
        yield _of_row(row)
    except BrokenListing as error:
        skipped.add(where, str(error))


def _of_row(row: Mapping[str, str]) -> FoundVideo:
    values = {what: row.get(name, "").strip() for what, name in _columns(row).items()}
    start, end = _time(values.get("start", "")), _time(values.get("end", ""))
    if start is not None and end is not None and end <= start:
        raise BrokenListing(f"a stretch from {start:g} to {end:g} s holds nothing")
    is_stretch = start is not None or end is not None
    return FoundVideo(
        origin=_origin(values),
        title=one_line(values.get("title", "")),
        published=as_time(values.get("published", "")),
        duration_s=as_seconds(values.get("duration")),
        segments=(Segment(start or 0.0, float("inf") if end is None else end),) if is_stretch else (),
    )


def _time(written: str) -> float | None:
    """Return a time in seconds, None where none is given; one below zero lies before the video or is not known."""
    if not _is_time(written):
        raise BrokenListing(f"{written!r} is no time: write 75, 1:15 or 0:01:15.5")
    return as_seconds(written)


def _is_time(written: str) -> bool:
    return not written or written.lower() in NOTHING or as_seconds(written.removeprefix("-")) is not None


def _names_video(written: str) -> bool:
    return (
        YOUTUBE_VIDEO_ID.fullmatch(written) is not None or "://" in written or bool(WITHOUT_SCHEME.fullmatch(written))
    )


def _origin(values: Mapping[str, str]) -> str:
    for written in (values.get("id", ""), values.get("url", "")):
        if YOUTUBE_VIDEO_ID.fullmatch(written):
            return f"{YOUTUBE_WATCH}{written}"
        if "://" in written:
            return _web_address(written)
        if WITHOUT_SCHEME.fullmatch(written):
            return _web_address(f"https://{written}")
    given = one_line(values.get("id") or values.get("url") or "")
    raise BrokenListing(f"{given!r} is no id of YouTube's and no URL" if given else "it names no video")


def _web_address(written: str) -> str:
    try:
        checked(written)
    except ForbiddenAddress as error:
        raise BrokenListing(str(error)) from error
    return written


def _realestate_folder(folder: Path, skipped: SkippedRows) -> Iterator[FoundVideo]:
    files = sorted(path for path in folder.glob("*.txt") if not path.name.startswith("."))
    if not files:
        raise BrokenListing(f"{folder} holds no text file (.txt), as RealEstate10K has one a clip")
    for file in files:
        try:
            yield _realestate(file)
        except (BrokenListing, OSError, UnicodeError) as error:
            skipped.add(file.name, str(error))


def _realestate(path: Path) -> FoundVideo:
    with path.open(encoding="utf-8-sig") as file:
        first = file.readline(LINE_MAX).strip()
        if not first:
            raise BrokenListing("its first line is empty")
        origin = _origin({"url": first})
        try:
            times = [int(line.split(maxsplit=1)[0]) / 1e6 for line in file if line.strip()]
        except (ValueError, OverflowError) as error:
            raise BrokenListing("a line does not begin with a time in microseconds") from error
    segments = (Segment(min(times), max(times) + FRAME_S),) if times else ()
    return FoundVideo(origin, segments=segments)
