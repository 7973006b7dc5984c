"""The files of a bucket: every call is one request, and none asks for what the caller did not."""

import contextlib
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from pipeline.store.bucket import bucket_errors
from pipeline.store.trees import Stamp

if TYPE_CHECKING:
    from zarr.storage import StoreLike

ONE_PUT_BYTES = 64 << 20
"""Files up to this size are put in one request, larger ones in parts of it."""

REMOVED_AT_ONCE = 1000


class BucketTree:
    """The objects below the prefix of obstore's store ``bucket``, which ``url`` names."""

    def __init__(self, bucket: Any, url: str) -> None:
        self._bucket, self._url = bucket, url.rstrip("/")

    def stamp(self, name: str) -> Stamp | None:
        """Return the state of an object, None where there is none; folders are none."""
        try:
            with bucket_errors(self._where(name)):
                return stamp_of(self._bucket.head(name))
        except FileNotFoundError:
            return None

    def read(self, name: str) -> bytes:
        """Return the content of an object."""
        with bucket_errors(self._where(name)):
            return bytes(self._bucket.get(name).bytes())

    def read_if(self, name: str, mark: str, wanted: Any = None) -> bytes:
        """Return an object, or a range of it as obstore writes one, if its mark is still that one.

        Raises:
            WrittenMeanwhile: it is another object by now.
        """
        options = {"if_match": mark} | ({} if wanted is None else {"range": wanted})
        with bucket_errors(self._where(name)):
            return bytes(self._bucket.get(name, options=options).bytes())

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Give an object as a file, which is read whole: files of tables are a few megabytes."""
        yield io.BytesIO(self.read(name))

    def fetch(self, name: str, local: Path) -> None:
        """Copy an object to a local path."""
        with bucket_errors(self._where(name)), local.open("wb") as file:
            for block in self._bucket.get(name):
                file.write(block)

    def put(self, local: Path, name: str) -> None:
        """Move a local file to its place."""
        self.upload(local, name)
        local.unlink()

    def upload(self, local: Path, name: str) -> Stamp:
        """Write a local file to its place; return what is there now."""
        size = local.stat().st_size
        in_parts = {"use_multipart": size > ONE_PUT_BYTES, "chunk_size": ONE_PUT_BYTES}
        with bucket_errors(self._where(name)):
            return Stamp(size, str(self._bucket.put(name, local, **in_parts)["e_tag"]))

    def remove(self, name: str) -> None:
        """Delete an object; that there was none is not told."""
        with bucket_errors(self._where(name)):
            self._bucket.delete(name)

    def names(self, folder: str) -> list[str]:
        """Return the names in a folder."""
        with bucket_errors(self._where(folder)):
            found = self._bucket.list_with_delimiter(folder or None)
        paths = [*found["common_prefixes"], *(each["path"] for each in found["objects"])]
        return [path.rstrip("/").rpartition("/")[2] for path in paths]

    def listed(self, folder: str) -> dict[str, Stamp]:
        """Return every object below a folder by its name."""
        with bucket_errors(self._where(folder)):
            return {each["path"]: stamp_of(each) for some in self._bucket.list(folder or None) for each in some}

    def below(self, name: str) -> dict[str, Stamp]:
        """Return every object below a folder by its name; of an object, the object itself."""
        found = self.listed(name)
        if found:
            return found
        alone = self.stamp(name)
        return {} if alone is None else {name: alone}

    def remove_all(self, names: Iterable[str]) -> None:
        """Delete objects, a thousand a request."""
        left = list(names)
        while left:
            with bucket_errors(self._url):
                self._bucket.delete(left[:REMOVED_AT_ONCE])
            del left[:REMOVED_AT_ONCE]

    def copy(self, source: str, target: str) -> None:
        """Copy an object within the bucket."""
        with bucket_errors(self._where(source)):
            self._bucket.copy(source, target)

    def zarr_store(self, name: str) -> "StoreLike":
        """Return what zarr opens for reading."""
        from zarr.storage import ObjectStore, StorePath

        return StorePath(ObjectStore(self._bucket, read_only=True), name)

    def _where(self, name: str) -> str:
        return f"{self._url}/{name}"


def stamp_of(told: Any) -> Stamp:
    """Return the state of an object as a list or an answer tells it."""
    return Stamp(int(told["size"]), str(told["e_tag"]))
