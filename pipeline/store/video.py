"""The files of one video: ``<data>/videos/<video_id>/{source.mp4, source.json, clips.parquet, scene.zarr/}``.

A group of ``scene.zarr`` is assembled in a scratch folder and then takes its place as a whole (``store.publish``), with
a list of its files in its metadata (``store.contents``), by which every reader tells what is lost from what is empty.
"""

import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from models.json_text import parsed_json
from pipeline.contract.errors import (
    CorruptStore,
    PipelineError,
    SettingsError,
    StageMissing,
    VideoError,
    VideoLocked,
)
from pipeline.store import contents, publish
from pipeline.store.atomic import disk_errors, reading
from pipeline.store.changes import changes_of
from pipeline.store.contents import GROUP_METADATA, LISTED
from pipeline.store.description import root_attributes
from pipeline.store.drafts import remove_tree
from pipeline.store.files import Files
from pipeline.store.group_writer import GroupWriter
from pipeline.store.groups import SCENE_ZARR
from pipeline.store.hold import held, lease

VIDEOS = "videos"
VIDEO_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def check_video_id(video_id: str) -> str:
    """Return ``video_id`` if it is safe as a path part, else raise ``SettingsError``."""
    if not VIDEO_ID.fullmatch(video_id):
        message = f"video id {video_id!r} is not of the form [A-Za-z0-9_-]{{1,64}}"
        raise SettingsError(message)
    return video_id


class VideoStore:
    """The files of one video, whether or not any exist yet."""

    def __init__(self, files: Files, video_id: str) -> None:
        self.files = files
        self.video_id = check_video_id(video_id)
        self.folder = (VIDEOS, video_id)
        self.scratch = files.scratch / video_id

    @contextlib.contextmanager
    def locked(self, timeout_s: float = 0) -> Iterator[None]:
        """Hold the video against other processes and machines; what an earlier one left half-done is removed.

        A file lock tells at once which processes of this machine live, a lease which of others do (``store.lease``).
        Inside the block ``files`` makes sure before every write that the video is still held.

        Raises:
            VideoLocked: another process holds it, and still does after ``timeout_s`` seconds.
            LeaseLost: inside the block, of a write: this machine stood still so long that another has the video.
        """
        lock = FileLock(self.files.make_scratch() / f"{self.video_id}.lock", timeout=timeout_s)
        try:
            lock.acquire()
        except Timeout as error:
            message = f"{self.video_id} is being worked on by another process; wait for it or stop it"
            raise VideoLocked(message) from error
        files = self.files
        try:
            with held(files, self.video_id, self.video_id, timeout_s) as fenced, self._mirrored(fenced) as self.files:
                changes_of(self.files).note(self.video_id, held=True)
                remove_tree(self.scratch / "groups")
                publish.finish_switches(self.files, self.folder)
                try:
                    yield
                finally:
                    with contextlib.suppress(PipelineError, OSError):  # then the note of a process that ended stays
                        changes_of(self.files).let_go(self.video_id)
        finally:
            self.files = files
            lock.release()

    @contextlib.contextmanager
    def _mirrored(self, files: Files) -> Iterator[Files]:
        """Give the files of a held video: in a bucket, what is read and written of it stays on local disk meanwhile."""
        kept = files.scratch / "mirrors" / self.video_id
        remove_tree(kept)
        try:
            yield files.mirrored(self.folder, kept, is_held=True)
        finally:
            remove_tree(kept)

    def as_it_is(self) -> "VideoStore":
        """Return the video as it is now, for reading more than a file of it: a bucket is asked for each file once.

        Of the files that are read, those that were replaced since end with ``NotReadableNow``.
        """
        return VideoStore(self.files.mirrored(self.folder), self.video_id)

    def is_held(self) -> bool:
        """Tell whether a process or machine holds the video; of another machine, also where it died holding it."""
        lock = FileLock(self.files.make_scratch() / f"{self.video_id}.lock", timeout=0)
        try:
            with lock:
                return lease(self.files, self.video_id, self.video_id).is_held()
        except Timeout:
            return True

    def exists(self, name: str) -> bool:
        """Tell whether a file of the video exists."""
        return self.files.exists(*self.folder, name)

    def read_json(self, name: str) -> dict[str, Any]:
        """Return a JSON file of the video.

        Raises:
            StageMissing: the file is not there.
            CorruptStore: it is not JSON.
        """
        try:
            content = parsed_json(self.files.read_bytes(*self.folder, name))
        except FileNotFoundError as error:
            raise self._missing(name) from error
        except ValueError as error:
            raise CorruptStore(f"{self.video_id}/{name} is no JSON: build the video again") from error
        if not isinstance(content, dict):
            raise CorruptStore(f"{self.video_id}/{name} is no JSON object: build the video again")
        return content

    def write_json(self, name: str, content: Mapping[str, Any]) -> None:
        """Write a JSON file of the video, whole or not at all."""
        self.files.write_bytes(json.dumps(content, indent=1).encode(), *self.folder, name)

    def remove(self, name: str) -> None:
        """Delete a file of the video if it is there."""
        self.files.remove(*self.folder, name)

    def read_table(self, name: str) -> pa.Table:
        """Return a Parquet file of the video; raises ``StageMissing`` where there is none."""
        try:
            return self.files.read_table(*self.folder, name)
        except FileNotFoundError as error:
            raise self._missing(name) from error

    def write_table(self, name: str, table: pa.Table) -> None:
        """Write a Parquet file of the video, whole or not at all."""
        self.files.write_table(table, *self.folder, name)

    def place(self, local: Path, name: str) -> None:
        """Move a finished local file to its place among the video's files."""
        with disk_errors():
            self.files.place(local, *self.folder, name)

    @contextlib.contextmanager
    def local_file(self, name: str) -> Iterator[Path]:
        """Give a local path to a file of the video; a remote one is copied to scratch for the time being."""
        self._require(name)
        if self.files.is_local():
            yield Path(self.files.path(*self.folder, name))
            return
        self.files.make_scratch()
        self.scratch.mkdir(parents=True, exist_ok=True)
        copy = self.scratch / name
        self.files.fetch(copy, *self.folder, name)
        try:
            yield copy
        finally:
            copy.unlink(missing_ok=True)

    def has_group(self, group: str) -> bool:
        """Tell whether a stage's group is there, whole."""
        return self.exists(f"{SCENE_ZARR}/{group}/{GROUP_METADATA}")

    def attributes(self, group: str) -> dict[str, Any]:
        """Return what a stage noted about its group: stage, backend, settings, fingerprint, what was left out.

        Raises:
            StageMissing: the group is not there.
            CorruptStore: its metadata is damaged.
        """
        return self._metadata(group)[0]

    def listed(self, group: str) -> dict[str, contents.Listed] | None:
        """Return the files of a group as its metadata lists them; None for groups from before there were lists.

        Raises:
            StageMissing: the group is not there.
            CorruptStore: its metadata is damaged.
        """
        return self._metadata(group)[1]

    def has_array(self, group: str, array: str) -> bool:
        """Tell whether a group holds an array of that name."""
        return self.exists(f"{SCENE_ZARR}/{group}/{array}/{GROUP_METADATA}")

    def read(self, group: str, array: str, rows: slice | NDArray[np.int64] | None = None) -> NDArray[Any]:
        """Return an array of a group, or some of its rows.

        Raises:
            StageMissing: the group is not there.
            CorruptStore: the array is damaged or a file of it is lost.
            NotReadableNow: the file system cannot give it at the moment.
        """
        import zarr

        contents.require(self.files, (*self.folder, SCENE_ZARR, group), self.listed(group) or {}, array)
        with array_errors(f"{self.video_id}: {group}/{array}", group):
            location = self.files.zarr_location(*self.folder, SCENE_ZARR, group, array)
            opened = zarr.open_array(location, mode="r", zarr_format=3)
            return np.asarray(opened[:] if rows is None else opened[rows])

    @contextlib.contextmanager
    def write_group(self, group: str, attributes: Mapping[str, Any] | None = None) -> Iterator[GroupWriter]:
        """Write a group: append rows to its arrays inside the block, and it appears whole when the block ends.

        The writer's ``attributes`` may be filled inside the block. An error inside it leaves the store as it was.
        """
        self.files.claim()
        draft = self.scratch / "groups" / group
        remove_tree(draft)
        try:
            with disk_errors():
                draft.mkdir(parents=True)
                writer = GroupWriter(draft, attributes)
                yield writer
                writer.close()
                self._require_root()
                publish.publish(self.files, self.folder, draft, group)
        finally:
            remove_tree(draft)

    def set_aside(self, name: str) -> str:
        """Move something damaged out of the way, to ``damaged/`` in the video's folder; returns its new place.

        name: of a file (``clips.parquet``), or of a group with its hierarchy (``scene.zarr/semantics``).
        """
        return publish.set_aside(self.files, self.folder, name)

    def _metadata(self, group: str) -> tuple[dict[str, Any], dict[str, contents.Listed] | None]:
        try:
            attributes = dict(self.read_json(f"{SCENE_ZARR}/{group}/{GROUP_METADATA}")["attributes"])
            return attributes, contents.parsed_contents(attributes.pop(LISTED, None))
        except StageMissing as error:
            raise self._missing(f"group {group!r}", f"the stage {group!r}") from error
        except (CorruptStore, KeyError, TypeError, ValueError) as error:
            raise CorruptStore(f"{self.video_id}: the metadata of {group!r} is damaged: {error}", group) from error

    def _require_root(self) -> None:
        """Write the metadata of the hierarchy, by which other readers of Zarr find its groups."""
        name = f"{SCENE_ZARR}/{GROUP_METADATA}"
        if not self.exists(name):
            self.write_json(name, {"zarr_format": 3, "node_type": "group", "attributes": root_attributes()})

    def _require(self, name: str) -> None:
        if not self.exists(name):
            raise self._missing(name)

    def _missing(self, what: str, made_by: str = "the stage that makes it") -> StageMissing:
        if not self.files.names(*self.folder):
            return StageMissing(f"{self.video_id} has no {what}, nor anything else: dropped, or yet to be built")
        return StageMissing(f"{self.video_id} has no {what}: run {made_by} first")


@contextlib.contextmanager
def array_errors(name: str, group: str) -> Iterator[None]:
    """Tell what reading an array with Zarr may end with: damage, or a file system that cannot give it now.

    Raises:
        CorruptStore: the bytes are not those that were written.
        NotReadableNow: the bytes could not be had.
    """
    try:
        with reading(name):
            yield
    except VideoError:
        raise
    except Exception as error:  # whatever a codec or a parser makes of damaged bytes
        raise CorruptStore(f"{name} does not read back ({error}): build the video again", group) from error
