"""The files of one video as one list of its bucket told them, with what was read of them kept on local disk.

Whoever holds a video's lease is the only one who writes it: what the list said stays true but for the holder's own
writes, which the mirror knows. So nothing is asked for twice, and a stage reads what the one before it wrote from disk.

A reader without the lease sees the video as it was at the list: each read asks for the very object that was listed
(``If-Match``), and ends with ``ReplacedWhileRead`` where that is gone.
"""

import contextlib
import os
import shutil
import tempfile
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from pipeline.contract.errors import NotReadableNow, WrittenMeanwhile
from pipeline.store.bucket_tree import BucketTree
from pipeline.store.kept_objects import KeptObjects
from pipeline.store.trees import Stamp

if TYPE_CHECKING:
    from zarr.storage import StoreLike

WHOLE_BYTES = 1 << 20
"""Files up to this size are read whole for a part of them: that takes no longer than the request."""


class ReplacedWhileRead(NotReadableNow):
    """A file is no longer the one that was listed."""


class Mirror:
    """The objects below ``folder``, a name; all others are asked of ``rest``.

    objects: what this machine keeps of the bucket beyond the mirror. kept: local folder, empty, for what the mirror
    keeps; by default one that goes with it. is_held: by this process, which reads most of the video; others read parts
    of large files as parts.
    """

    def __init__(
        self,
        rest: "BucketTree | Mirror",
        folder: str,
        objects: KeptObjects,
        kept: Path | None = None,
        *,
        is_held: bool = False,
    ) -> None:
        self._rest, self._folder, self._objects, self._is_held = rest, folder, objects, is_held
        self.bucket: BucketTree = rest.bucket if isinstance(rest, Mirror) else rest
        self._listed = self.bucket.listed(folder)
        self._goes = tempfile.TemporaryDirectory(ignore_cleanup_errors=True) if kept is None else None
        self._kept = Path(self._goes.name) if self._goes else Path(str(kept))
        self._parts: dict[tuple[str, str], bytes] = {}
        self._turn = threading.RLock()

    def stamp(self, name: str) -> Stamp | None:
        """Return the state of an object as it was listed or written."""
        return self._listed.get(name) if self._covers(name) else self._rest.stamp(name)

    def read(self, name: str) -> bytes:
        """Return the content of an object."""
        return self.local(name).read_bytes() if self._covers(name) else self._rest.read(name)

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Open an object for reading."""
        if self._covers(name):
            with self.local(name).open("rb") as file:
                yield file
        else:
            with self._rest.open(name) as file:
                yield file

    def fetch(self, name: str, local: Path) -> None:
        """Copy an object to a local path; it shares the bytes with what is kept, where the disk can."""
        if not self._covers(name):
            self._rest.fetch(name, local)
            return
        local.unlink(missing_ok=True)
        try:
            os.link(self.local(name), local)
        except OSError:
            shutil.copyfile(self.local(name), local)

    def put(self, local: Path, name: str) -> None:
        """Move a local file to its place, and keep it."""
        if not self._covers(name):
            self._rest.put(local, name)
            return
        written = self.bucket.upload(local, name)
        if written.size <= WHOLE_BYTES:
            self._objects.keep(name, written.mark, local.read_bytes())
        with self._turn:
            self._listed[name] = written
            kept = self._place(name)
            kept.unlink(missing_ok=True)
            shutil.move(local, kept)

    def remove(self, name: str) -> None:
        """Delete an object; nothing is asked where there is none."""
        if not self._covers(name):
            self._rest.remove(name)
        elif name in self._listed:
            self.remove_all([name])

    def names(self, folder: str) -> list[str]:
        """Return the names in a folder."""
        if not self._covers(folder):
            return self._rest.names(folder)
        return list(dict.fromkeys(name[len(folder) + 1 :].partition("/")[0] for name in self._below(folder)))

    def below(self, name: str) -> dict[str, Stamp]:
        """Return every object below a folder by its name; of an object, the object itself."""
        if not self._covers(name):
            return self._rest.below(name)
        return {each: self._listed[each] for each in [name, *self._below(name)] if each in self._listed}

    def remove_all(self, names: Iterable[str]) -> None:
        """Delete objects."""
        gone = list(names)
        self.bucket.remove_all(gone)
        with self._turn:
            for name in gone:
                if self._listed.pop(name, None) is not None:
                    self._place(name).unlink(missing_ok=True)

    def copy(self, source: str, target: str) -> None:
        """Copy an object within the bucket."""
        self.bucket.copy(source, target)
        copied = self.bucket.stamp(target)
        if self._covers(target) and copied is not None:
            self._listed[target] = copied
            self._place(target).unlink(missing_ok=True)

    def zarr_store(self, name: str) -> "StoreLike":
        """Return what zarr opens for reading."""
        from pipeline.store.mirrored_zarr import MirrorStore

        return MirrorStore(self, name, self._place(name)) if self._covers(name) else self._rest.zarr_store(name)

    def local(self, name: str) -> Path:
        """Return where an object is kept, which is fetched if need be; raises ``FileNotFoundError``."""
        with self._turn:
            if name not in self._listed:
                raise FileNotFoundError(name)
            kept = self._place(name)
            if not kept.exists():
                kept.write_bytes(self._whole(name))
            return kept

    def part(self, name: str, wanted: Any) -> bytes:
        """Return a part of an object as obstore writes one: (start, end), {"offset": ...} or {"suffix": ...}."""
        size = self._listed[name].size if name in self._listed else 0
        if self._is_held or size <= WHOLE_BYTES or self._place(name).exists():
            return _part(self.local(name), wanted, size)
        key = (name, str(wanted))
        if key not in self._parts:
            found = self._asked(name, wanted)
            if not isinstance(wanted, dict):  # rows; ends of files are the lists of what is in them
                return found
            self._parts[key] = found
        return self._parts[key]

    def _whole(self, name: str) -> bytes:
        size, mark = self._listed[name]
        found = self._objects.get(name, mark) if size <= WHOLE_BYTES else None
        if found is None:
            found = self._asked(name)
            if size <= WHOLE_BYTES:
                self._objects.keep(name, mark, found)
        return found

    def _asked(self, name: str, wanted: Any = None) -> bytes:
        try:
            return self.bucket.read_if(name, self._listed[name].mark, wanted)
        except (WrittenMeanwhile, FileNotFoundError) as error:
            raise ReplacedWhileRead(f"{name} was made again while it was read: read it again") from error

    def _covers(self, name: str) -> bool:
        return name == self._folder or name.startswith(f"{self._folder}/")

    def _below(self, folder: str) -> list[str]:
        return [name for name in self._listed if name.startswith(f"{folder}/")]

    def _place(self, name: str) -> Path:
        place = Path(self._kept, *name[len(self._folder) + 1 :].split("/"))
        place.parent.mkdir(parents=True, exist_ok=True)
        return place


def _part(path: Path, wanted: Any, size: int) -> bytes:
    start, end = wanted if isinstance(wanted, tuple) else (wanted.get("offset", size - wanted.get("suffix", 0)), size)
    with path.open("rb") as file:
        file.seek(start)
        return file.read(end - start)
