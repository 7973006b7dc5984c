"""The files of one video: ``<data>/videos/<video_id>/{source.mp4, source.json, clips.parquet, scene.zarr/}``.

A group of ``scene.zarr`` is assembled in a scratch folder and then copied chunk files first, array metadata
next and the group's own metadata last, so that it is there whole or not at all, whatever was killed when.
"""

import contextlib
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from pipeline.contract.errors import CorruptStore, PipelineError, SettingsError, StageMissing, VideoLocked
from pipeline.store.atomic import disk_errors
from pipeline.store.changes import Changes
from pipeline.store.files import Files
from pipeline.store.group_writer import GROUP_METADATA, GroupWriter
from pipeline.store.groups import SCENE_ZARR

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
        self.scratch = files.scratch / video_id

    @contextlib.contextmanager
    def locked(self, timeout_s: float = 0) -> Iterator[None]:
        """Hold the video against other processes of this machine; what an earlier one left half-done is removed.

        Raises:
            VideoLocked: another process holds it, and still does after ``timeout_s`` seconds.
        """
        self.files.scratch.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.files.scratch / f"{self.video_id}.lock", timeout=timeout_s)
        try:
            lock.acquire()
        except Timeout as error:
            message = f"{self.video_id} is being worked on by another process; wait for it or stop it"
            raise VideoLocked(message) from error
        try:
            Changes(self.files).note(self.video_id, held=True)
            shutil.rmtree(self.scratch / "groups", ignore_errors=True)
            yield
        finally:
            with contextlib.suppress(PipelineError, OSError):  # then the note of a process that ended stays
                Changes(self.files).note(self.video_id)
            lock.release()

    def exists(self, name: str) -> bool:
        """Tell whether a file of the video exists."""
        return self.files.exists(VIDEOS, self.video_id, name)

    def read_json(self, name: str) -> dict[str, Any]:
        """Return a JSON file of the video.

        Raises:
            StageMissing: the file is not there.
            CorruptStore: it is not JSON.
        """
        self._require(name)
        try:
            content = json.loads(self.files.read_bytes(VIDEOS, self.video_id, name))
        except ValueError as error:
            message = f"{self.video_id}/{name} is no JSON: delete it and build the video again"
            raise CorruptStore(message) from error
        if not isinstance(content, dict):
            raise CorruptStore(f"{self.video_id}/{name} is no JSON object: delete it and build the video again")
        return content

    def write_json(self, name: str, content: Mapping[str, Any]) -> None:
        """Write a JSON file of the video, whole or not at all."""
        self.files.write_bytes(json.dumps(content, indent=1).encode(), VIDEOS, self.video_id, name)

    def remove(self, name: str) -> None:
        """Delete a file of the video if it is there."""
        self.files.remove(VIDEOS, self.video_id, name)

    def read_table(self, name: str) -> pa.Table:
        """Return a Parquet file of the video; raises ``StageMissing`` where there is none."""
        self._require(name)
        return self.files.read_table(VIDEOS, self.video_id, name)

    def write_table(self, name: str, table: pa.Table) -> None:
        """Write a Parquet file of the video, whole or not at all."""
        self.files.write_table(table, VIDEOS, self.video_id, name)

    def place(self, local: Path, name: str) -> None:
        """Move a finished local file to its place among the video's files."""
        with disk_errors():
            self.files.place(local, VIDEOS, self.video_id, name)

    @contextlib.contextmanager
    def local_file(self, name: str) -> Iterator[Path]:
        """Give a local path to a file of the video; a remote one is copied to scratch for the time being."""
        path = self.files.path(VIDEOS, self.video_id, name)
        self._require(name)
        if self.files.is_local():
            yield Path(path)
            return
        self.scratch.mkdir(parents=True, exist_ok=True)
        copy = self.scratch / name
        self.files.file_system.get_file(path, str(copy))
        try:
            yield copy
        finally:
            copy.unlink(missing_ok=True)

    def has_group(self, group: str) -> bool:
        """Tell whether a stage's group is there, whole."""
        return self.exists(f"{SCENE_ZARR}/{group}/{GROUP_METADATA}")

    def attributes(self, group: str) -> dict[str, Any]:
        """Return what a stage noted about its group: stage, backend, settings, fingerprint, what was left out."""
        if not self.has_group(group):
            message = f"{self.video_id} has no group {group!r}: run the stage {group!r} first"
            raise StageMissing(message)
        attributes: dict[str, Any] = self.read_json(f"{SCENE_ZARR}/{group}/{GROUP_METADATA}")["attributes"]
        return attributes

    def has_array(self, group: str, array: str) -> bool:
        """Tell whether a group holds an array of that name."""
        return self.exists(f"{SCENE_ZARR}/{group}/{array}/{GROUP_METADATA}")

    def read(self, group: str, array: str, rows: slice | NDArray[np.int64] | None = None) -> NDArray[Any]:
        """Return an array of a group, or some of its rows.

        Raises:
            StageMissing: the group is not there.
            CorruptStore: the array is damaged.
        """
        import zarr

        self.attributes(group)
        try:
            location = self.files.zarr_location(VIDEOS, self.video_id, SCENE_ZARR, group, array)
            opened = zarr.open_array(location, mode="r")
            return np.asarray(opened[:] if rows is None else opened[rows])
        except (FileNotFoundError, ValueError, RuntimeError, OSError) as error:
            message = f"{self.video_id}: {group}/{array} does not read back ({error}); build the video again"
            raise CorruptStore(message, group) from error

    @contextlib.contextmanager
    def write_group(self, group: str, attributes: Mapping[str, Any] | None = None) -> Iterator[GroupWriter]:
        """Write a group: append rows to its arrays inside the block, and it appears whole when the block ends.

        The writer's ``attributes`` may be filled inside the block. An error inside it leaves the store as it was.
        """
        draft = self.scratch / "groups" / group
        shutil.rmtree(draft, ignore_errors=True)
        try:
            with disk_errors():
                draft.mkdir(parents=True)
                writer = GroupWriter(draft, attributes)
                yield writer
                writer.close()
                self._publish(draft, group)
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def drop_group(self, group: str) -> None:
        """Delete a group: its metadata first, so that it is gone at once for every reader."""
        self.remove(f"{SCENE_ZARR}/{group}/{GROUP_METADATA}")
        self.files.remove_folder(VIDEOS, self.video_id, SCENE_ZARR, group)

    def _publish(self, draft: Path, group: str) -> None:
        self.drop_group(group)
        if not self.exists(f"{SCENE_ZARR}/{GROUP_METADATA}"):
            self.write_json(
                f"{SCENE_ZARR}/{GROUP_METADATA}", {"zarr_format": 3, "node_type": "group", "attributes": {}}
            )
        for path in sorted((p for p in draft.rglob("*") if p.is_file()), key=_publishing_order):
            relative = path.relative_to(draft).as_posix()
            self.files.place(path, VIDEOS, self.video_id, SCENE_ZARR, group, relative)

    def _require(self, name: str) -> None:
        if not self.exists(name):
            message = f"{self.video_id} has no {name}: run the stage that makes it first"
            raise StageMissing(message)


def _publishing_order(path: Path) -> tuple[bool, int, str]:
    is_metadata = path.name == GROUP_METADATA
    return is_metadata, -len(path.parts), path.as_posix()
