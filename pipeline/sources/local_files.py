"""Local files that changed under the same name, and files that moved: what counts is their content.

A file's size and time are noted; where they are what they were, nothing is read. Else the content is: what was built
of another content is dropped, so that the file is read again.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from pipeline.contract.errors import CorruptStore, VideoLocked
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.catalog.keyed_table import KeyedTable
from pipeline.sources.catalog.rows import CatalogRow, VideoState
from pipeline.sources.video_source import VideoSource
from pipeline.store.drafts import remove_tree
from pipeline.store.groups import CLIPS, FAILURE, QUALITY, RULER, SCENE_ZARR, SOURCE_NOTES, SOURCE_VIDEO
from pipeline.store.video import VIDEOS, VideoStore

FOLDER = "local_files"
_SCHEMA = pa.schema([("video_id", pa.string()), ("size", pa.int64()), ("mtime_ns", pa.int64())])


def is_gone(source: VideoSource) -> bool:
    """Tell whether a video was a local file that is not there any more."""
    return source.kind == "file" and not Path(source.origin).exists()


def take_place(catalog: Catalog, copy: str, original: str) -> bool:
    """Let a video go on as the file of its copy if its own file is gone; tell whether it does.

    What was built of it stays: the content is the same. The copy stays its duplicate. Part of a change of the catalog.
    """
    rows = catalog.rows([copy, original])
    if rows[copy].source.kind != "file" or not is_gone(rows[original].source):
        return False
    origin = rows[copy].source.origin

    def moved(row: CatalogRow) -> CatalogRow:
        return replace(row, source=VideoSource(kind="file", origin=origin))

    catalog.update([original], moved)
    return True


def look_again(catalog: Catalog, sources: Iterable[VideoSource]) -> list[str]:
    """Look whether local files are what was read of them; return the videos that will be read again.

    A video that another process works on is looked at the next time.
    """
    files = {source.video_id: source for source in sources if source.kind == "file"}
    if not files:
        return []
    noted = KeyedTable(catalog.files, FOLDER, _SCHEMA, "video_id")
    before = {row["video_id"]: (row["size"], row["mtime_ns"]) for row in noted.select(list(files)).to_pylist()}
    looks = {key: look for key, source in files.items() if (look := _look(Path(source.origin))) is not None}
    again, seen = [], []
    for row in catalog.rows(list(looks)).values():
        _return_from_gone(catalog, row)
        if before.get(row.video_id) == looks[row.video_id]:
            continue
        try:
            again += _changed(catalog, row, first_look=row.video_id not in before)
        except VideoLocked:
            continue
        seen.append({"video_id": row.video_id, "size": looks[row.video_id][0], "mtime_ns": looks[row.video_id][1]})
    if seen:
        noted.append(pa.Table.from_pylist(seen, _SCHEMA), noted.listing().next_number)
    return again


def _changed(catalog: Catalog, row: CatalogRow, *, first_look: bool) -> list[str]:
    """Drop what was built of another content; return the video if there is something to be read again."""
    owner = _owner(catalog, row)
    video = VideoStore(catalog.files, owner.video_id)
    stored = _stored_sha256(video)
    if stored is None and (first_look or row.state not in (VideoState.NEW, VideoState.DUPLICATE)):
        return []
    if (stored or row.sha256) == _sha256(Path(row.source.origin)):
        return []
    with video.locked():
        catalog.update([owner.video_id], _as_new)
        _drop_results(video)
    return [owner.video_id]


def _return_from_gone(catalog: Catalog, row: CatalogRow) -> None:
    """Let a copy take the place of the video that it is a copy of, if the file of that is gone."""
    if row.state is not VideoState.DUPLICATE:
        return

    def returned() -> None:
        original = catalog.rows([row.duplicate_of]).get(row.duplicate_of)
        if original is None or not is_gone(original.source):
            return
        if not (original.sha256 == row.sha256 and take_place(catalog, row.video_id, original.video_id)):
            catalog.update([row.video_id], _as_new)
            VideoStore(catalog.files, row.video_id).remove(FAILURE)

    catalog.change(returned)


def _owner(catalog: Catalog, row: CatalogRow) -> CatalogRow:
    """Return the video that is built of this file: itself, or the one whose file moved here."""
    original = catalog.rows([row.duplicate_of]).get(row.duplicate_of) if row.state is VideoState.DUPLICATE else None
    return original if original is not None and original.source.origin == row.source.origin else row


def _as_new(row: CatalogRow) -> CatalogRow:
    return replace(
        row, state=VideoState.NEW, tries=0, next_try=None, last_error="", sha256="", duplicate_of="", built=""
    )


def _drop_results(video: VideoStore) -> None:
    """Delete what was built of a video, the sign that its source is whole first, and what waits to be gone on with."""
    for name in (SOURCE_NOTES, FAILURE, CLIPS, QUALITY, RULER, SOURCE_VIDEO):
        video.remove(name)
    video.files.remove_folder(VIDEOS, video.video_id, SCENE_ZARR)
    remove_tree(video.scratch)


def _stored_sha256(video: VideoStore) -> str | None:
    try:
        return str(video.read_json(SOURCE_NOTES).get("sha256")) if video.exists(SOURCE_NOTES) else None
    except CorruptStore:
        return None


def _look(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def _sha256(path: Path) -> str:
    with path.open("rb") as reader:
        return hashlib.file_digest(reader, "sha256").hexdigest()
