"""Reads a whole dataset and says what is not as it was written: ``youtube-occ verify``."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pipeline.contract.errors import CorruptStore, VideoError, VideoLocked
from pipeline.contract.progress import Progress, silent
from pipeline.stages.chain import finished, identities_of_groups, made_by
from pipeline.stages.damage import examined, problem
from pipeline.stages.registry import stages
from pipeline.store.groups import CLIPS, SCENE_ZARR, SOURCE_NOTES, SOURCE_VIDEO
from pipeline.store.index import INDEX
from pipeline.store.indexed import as_indexed
from pipeline.store.store import Store
from pipeline.store.video import VideoStore

_BLOCK_BYTES = 1 << 20


class Problem(NamedTuple):
    """Something that is not as it was written, or that could not be read.

    group: the damaged group, which a build can make again; empty for other things.
    """

    video_id: str
    detail: str
    group: str = ""


def verify(store: Store, video_ids: Sequence[str], progress: Progress = silent) -> Iterator[Problem]:
    """Yield what is wrong with videos and with their rows in the index; reads every file, and changes nothing."""
    indexed: Iterator[tuple[str, str]] = _indexed(store)
    row: tuple[str, str] | None = ("", "")
    for done, video_id in enumerate(sorted(video_ids)):
        progress("verify", done, len(video_ids), video_id)
        while row is not None and row[0] < video_id:
            row = next(indexed, None)
        try:
            yield from _problems(store.video(video_id), row[1] if row is not None and row[0] == video_id else None)
        except VideoError as error:
            yield Problem(video_id, f"{error.code}: {error}")


def set_aside(store: Store, found: Problem) -> str:
    """Move a damaged group aside, so that the next build makes it again; returns what became of it."""
    video = store.video(found.video_id)
    try:
        with video.locked():
            return str(examined(video, CorruptStore(found.detail, found.group)))
    except VideoLocked as error:
        return str(error)


def _problems(video: VideoStore, indexed: str | None) -> Iterator[Problem]:
    for group in video.files.names(*video.folder, SCENE_ZARR):
        if "." in group:
            continue
        if not video.has_group(group):
            yield Problem(video.video_id, f"{group} has no metadata, so that it counts as not made")
        elif said := problem(video, group):
            yield Problem(video.video_id, said, group)
    if video.exists(CLIPS):
        video.read_table(CLIPS)
    if said := _source_problem(video):
        yield Problem(video.video_id, said)
    made = finished(video)
    if made is None and all(made_by(video, name) for name in stages()):
        yield Problem(video.video_id, "its results were not made from each other: build it again")
    if indexed is not None and (made is None or indexed not in ("", as_indexed(identities_of_groups(made)))):
        yield Problem(video.video_id, "the dataset's index was written from other results: build the dataset again")


def _source_problem(video: VideoStore) -> str | None:
    """Return what is wrong with the video file, which may have been deleted to save space."""
    if not (video.exists(SOURCE_NOTES) and video.exists(SOURCE_VIDEO)):
        return None
    digest = hashlib.sha256()
    with video.files.open(*video.folder, SOURCE_VIDEO) as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    wanted = video.read_json(SOURCE_NOTES).get("sha256")
    return None if digest.hexdigest() == wanted else f"{SOURCE_VIDEO} is not what was fetched"


def _indexed(store: Store) -> Iterator[tuple[str, str]]:
    """Yield the videos of the index, sorted as they are there, with what it notes of their groups."""
    if not store.exists(*INDEX):
        return
    with store.open_parquet(*INDEX) as index:
        names = [name for name in ("video_id", "made") if name in index.schema_arrow.names]
        for batch in index.iter_batches(columns=names):
            ids = batch["video_id"].to_pylist()
            yield from zip(ids, batch["made"].to_pylist() if "made" in names else [""] * len(ids), strict=True)
