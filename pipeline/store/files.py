"""The dataset on disk or in object storage: the only module that knows how files are reached.

``<data>/videos/<video_id>/{source.mp4, source.json, clips.parquet, scene.zarr/}`` and ``<data>/dataset/``.
A group of ``scene.zarr`` is assembled in a scratch folder and then copied chunk files first, array metadata
next and the group's own metadata last, so that it is there whole or not at all, whatever was killed when.
"""

import contextlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import uuid4

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import zarr
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from pipeline.contract.errors import CorruptStore, SettingsError, StageMissing, VideoLocked
from pipeline.store.group_writer import GroupWriter, disk_errors

VIDEO_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
GROUP_METADATA = "zarr.json"


def check_video_id(video_id: str) -> str:
    """Return ``video_id`` if it is safe as a path part, else raise ``SettingsError``."""
    if not VIDEO_ID.fullmatch(video_id):
        message = f"video id {video_id!r} is not of the form [A-Za-z0-9_-]{{1,64}}"
        raise SettingsError(message)
    return video_id


class Store:
    """All videos of one data folder or bucket.

    Args:
        url: a folder, or any fsspec URL (``s3://bucket/prefix``).
        scratch: local folder for work in progress; beside the data by default.
    """

    def __init__(self, url: str | Path, scratch: Path | None = None) -> None:
        self.files, self.root = fsspec.core.url_to_fs(str(url))
        local = "file" in np.atleast_1d(self.files.protocol)
        default = Path(self.root) / "scratch" if local else Path.home() / ".cache" / "youtube-occ" / "scratch"
        self.scratch = scratch or default

    def video(self, video_id: str) -> "VideoStore":
        """Return the files of one video, whether or not any exist yet."""
        return VideoStore(self, check_video_id(video_id))

    def video_ids(self) -> list[str]:
        """Return the ids of all videos that have a folder, sorted."""
        folder = self.path("videos")
        if not self.files.exists(folder):
            return []
        names = (PurePosixPath(path).name for path in self.files.ls(folder, detail=False))
        return sorted(name for name in names if VIDEO_ID.fullmatch(name))

    def path(self, *parts: str) -> str:
        """Return the file system's path of a file of the store."""
        return "/".join((str(self.root).rstrip("/"), *parts))

    def exists(self, *parts: str) -> bool:
        """Tell whether a file of the store exists."""
        return bool(self.files.exists(self.path(*parts)))

    def read_bytes(self, *parts: str) -> bytes:
        """Return the content of a small file."""
        return bytes(self.files.cat_file(self.path(*parts)))

    def write_bytes(self, content: bytes, *parts: str) -> None:
        """Write a small file so that readers see the old content or the new one, never a part."""
        self.scratch.mkdir(parents=True, exist_ok=True)
        draft = self.scratch / f"{uuid4().hex}.part"
        with disk_errors():
            draft.write_bytes(content)
            self.place(draft, *parts)

    def place(self, local: Path, *parts: str) -> None:
        """Move a finished local file to its place in the store."""
        target = self.path(*parts)
        self.files.makedirs(target.rpartition("/")[0], exist_ok=True)
        if self.is_local():
            _move(local, Path(target))
        else:
            self.files.put_file(str(local), target)
            local.unlink()

    def write_table(self, table: pa.Table, *parts: str) -> None:
        """Write a Parquet table, whole or not at all."""
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="zstd")
        self.write_bytes(sink.getvalue().to_pybytes(), *parts)

    def read_table(self, *parts: str) -> pa.Table:
        """Read a Parquet table."""
        try:
            return pq.read_table(pa.BufferReader(self.read_bytes(*parts)))
        except pa.ArrowInvalid as error:
            message = f"{self.path(*parts)} is no Parquet file ({error}): delete it and run its stage again"
            raise CorruptStore(message) from error

    @contextlib.contextmanager
    def open_parquet(self, *parts: str) -> Iterator[pq.ParquetFile]:
        """Open a Parquet file for reading parts of it; raises ``FileNotFoundError``."""
        with self.files.open(self.path(*parts)) as file:
            yield pq.ParquetFile(file)

    def zarr_location(self, *parts: str) -> Any:
        """Return what zarr opens for reading."""
        path = self.path(*parts)
        if self.is_local():
            return zarr.storage.LocalStore(path, read_only=True)
        return zarr.storage.FsspecStore.from_url(self.files.unstrip_protocol(path), read_only=True)

    def is_local(self) -> bool:
        """Tell whether the store is a folder of this machine."""
        return "file" in np.atleast_1d(self.files.protocol)


class VideoStore:
    """The files of one video."""

    def __init__(self, store: Store, video_id: str) -> None:
        self.store = store
        self.video_id = video_id
        self.scratch = store.scratch / video_id

    @contextlib.contextmanager
    def locked(self, timeout_s: float = 0) -> Iterator[None]:
        """Hold the video against other processes of this machine; what an earlier one left half-done is removed.

        Raises:
            VideoLocked: another process holds it, and still does after ``timeout_s`` seconds.
        """
        self.store.scratch.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.store.scratch / f"{self.video_id}.lock", timeout=timeout_s)
        try:
            lock.acquire()
        except Timeout as error:
            message = f"{self.video_id} is being worked on by another process; wait for it or stop it"
            raise VideoLocked(message) from error
        try:
            shutil.rmtree(self.scratch / "groups", ignore_errors=True)
            yield
        finally:
            lock.release()

    def exists(self, name: str) -> bool:
        """Tell whether a file of the video exists."""
        return self.store.exists("videos", self.video_id, name)

    def read_json(self, name: str) -> dict[str, Any]:
        """Return a JSON file of the video.

        Raises:
            StageMissing: the file is not there.
            CorruptStore: it is not JSON.
        """
        if not self.exists(name):
            message = f"{self.video_id} has no {name}: run the stage that makes it first"
            raise StageMissing(message)
        try:
            content = json.loads(self.store.read_bytes("videos", self.video_id, name))
        except ValueError as error:
            message = f"{self.video_id}/{name} is no JSON: delete it and build the video again"
            raise CorruptStore(message) from error
        if not isinstance(content, dict):
            raise CorruptStore(f"{self.video_id}/{name} is no JSON object: delete it and build the video again")
        return content

    def write_json(self, name: str, content: dict[str, Any]) -> None:
        """Write a JSON file of the video, whole or not at all."""
        self.store.write_bytes(json.dumps(content, indent=1).encode(), "videos", self.video_id, name)

    def remove(self, name: str) -> None:
        """Delete a file of the video if it is there."""
        with contextlib.suppress(FileNotFoundError):
            self.store.files.rm_file(self.store.path("videos", self.video_id, name))

    def read_table(self, name: str) -> pa.Table:
        """Return a Parquet file of the video; raises ``StageMissing`` where there is none."""
        if not self.exists(name):
            message = f"{self.video_id} has no {name}: run the stage that makes it first"
            raise StageMissing(message)
        return self.store.read_table("videos", self.video_id, name)

    def write_table(self, name: str, table: pa.Table) -> None:
        """Write a Parquet file of the video, whole or not at all."""
        self.store.write_table(table, "videos", self.video_id, name)

    def place(self, local: Path, name: str) -> None:
        """Move a finished local file to its place among the video's files."""
        with disk_errors():
            self.store.place(local, "videos", self.video_id, name)

    @contextlib.contextmanager
    def local_file(self, name: str) -> Iterator[Path]:
        """Give a local path to a file of the video; a remote one is copied to scratch for the time being."""
        path = self.store.path("videos", self.video_id, name)
        if not self.exists(name):
            message = f"{self.video_id} has no {name}: run the stage that makes it first"
            raise StageMissing(message)
        if self.store.is_local():
            yield Path(path)
            return
        self.scratch.mkdir(parents=True, exist_ok=True)
        copy = self.scratch / name
        self.store.files.get_file(path, str(copy))
        try:
            yield copy
        finally:
            copy.unlink(missing_ok=True)

    def has_group(self, group: str) -> bool:
        """Tell whether a stage's group is there, whole."""
        return self.exists(f"scene.zarr/{group}/{GROUP_METADATA}")

    def attributes(self, group: str) -> dict[str, Any]:
        """Return what a stage noted about its group: stage, backend, settings, fingerprint, what was left out."""
        if not self.has_group(group):
            message = f"{self.video_id} has no group {group!r}: run the stage {group!r} first"
            raise StageMissing(message)
        attributes: dict[str, Any] = self.read_json(f"scene.zarr/{group}/{GROUP_METADATA}")["attributes"]
        return attributes

    def read(self, group: str, array: str, rows: slice | NDArray[np.int64] | None = None) -> NDArray[Any]:
        """Return an array of a group, or some of its rows.

        Raises:
            StageMissing: the group is not there.
            CorruptStore: the array is damaged.
        """
        self.attributes(group)
        try:
            opened = zarr.open_array(
                self.store.zarr_location("videos", self.video_id, "scene.zarr", group, array), mode="r"
            )
            return np.asarray(opened[:] if rows is None else opened[rows])
        except (FileNotFoundError, ValueError, RuntimeError, OSError) as error:
            message = f"{self.video_id}: {group}/{array} does not read back ({error}); build the video again"
            raise CorruptStore(message, group) from error

    @contextlib.contextmanager
    def write_group(self, group: str, attributes: dict[str, Any]) -> Iterator[GroupWriter]:
        """Write a group: append rows to its arrays inside the block, and it appears whole when the block ends.

        ``attributes`` may be filled inside the block. An error inside the block leaves the store as it was.
        """
        draft = self.scratch / "groups" / group
        shutil.rmtree(draft, ignore_errors=True)
        try:
            with disk_errors():
                draft.mkdir(parents=True)
                writer = GroupWriter(draft)
                yield writer
                writer.close(attributes)
                self._publish(draft, group)
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def drop_group(self, group: str) -> None:
        """Delete a group: its metadata first, so that it is gone at once for every reader."""
        self.remove(f"scene.zarr/{group}/{GROUP_METADATA}")
        folder = self.store.path("videos", self.video_id, "scene.zarr", group)
        if self.store.files.exists(folder):
            self.store.files.rm(folder, recursive=True)

    def _publish(self, draft: Path, group: str) -> None:
        self.drop_group(group)
        if not self.exists(f"scene.zarr/{GROUP_METADATA}"):
            self.write_json(f"scene.zarr/{GROUP_METADATA}", {"zarr_format": 3, "node_type": "group", "attributes": {}})
        for path in sorted((p for p in draft.rglob("*") if p.is_file()), key=_publishing_order):
            relative = path.relative_to(draft).as_posix()
            self.store.place(path, "videos", self.video_id, "scene.zarr", group, relative)


def _publishing_order(path: Path) -> tuple[bool, int, str]:
    is_metadata = path.name == GROUP_METADATA
    return is_metadata, -len(path.parts), path.as_posix()


def _move(source: Path, target: Path) -> None:
    try:
        source.replace(target)
    except OSError:
        draft = target.with_name(f".{target.name}.{os.getpid()}")
        shutil.copyfile(source, draft)
        draft.replace(target)
        source.unlink()
