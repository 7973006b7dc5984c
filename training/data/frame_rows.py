"""Which frames a split of a dataset has, in eight bytes a frame: one process may hold hundreds of millions."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.store.files import Files
from pipeline.store.index import read_index

_COLUMNS = ("video_id", "row", "split", "depth_share", "made")


@dataclass(frozen=True, eq=False)
class FrameRows(Sequence[tuple[str, int]]):
    """(video id, row in the video's arrays) of every frame, in the order of the index.

    videos: ids of the videos that have frames. places: (N,) int32, index into ``videos``, ascending. rows: (N,) int32.
    """

    videos: tuple[str, ...]
    places: NDArray[np.int32]
    rows: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.places)

    @overload
    def __getitem__(self, index: int) -> tuple[str, int]: ...
    @overload
    def __getitem__(self, index: slice) -> "FrameRows": ...
    def __getitem__(self, index: int | slice) -> "tuple[str, int] | FrameRows":
        """Return a frame, or some of them."""
        if isinstance(index, slice):
            return self._taken(self.places[index], self.rows[index])
        return self.videos[self.places[index]], int(self.rows[index])

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, FrameRows)
            and self.videos == other.videos
            and np.array_equal(self.places, other.places)
            and np.array_equal(self.rows, other.rows)
        )

    __hash__ = None  # type: ignore[assignment]

    def without(self, videos: Mapping[str, object]) -> "FrameRows":
        """Return the frames of all videos but some."""
        stays = np.array([video_id not in videos for video_id in self.videos], np.bool_)[self.places]
        return self._taken(self.places[stays], self.rows[stays])

    def _taken(self, places: NDArray[np.int32], rows: NDArray[np.int32]) -> "FrameRows":
        """Return frames, without videos that none of them is of."""
        found, renamed = np.unique(places, return_inverse=True)
        return FrameRows(tuple(self.videos[place] for place in found), renamed.astype(np.int32), rows)


@dataclass(frozen=True)
class FrameNames(Sequence[str]):
    """The names of frames, ``VIDEO/ROW``, spelled when they are asked for."""

    rows: FrameRows

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> "FrameNames": ...
    def __getitem__(self, index: int | slice) -> "str | FrameNames":
        """Return the name of a frame, or the names of some."""
        if isinstance(index, slice):
            return FrameNames(self.rows[index])
        video_id, row = self.rows[index]
        return f"{video_id}/{row}"

    def __iter__(self) -> Iterator[str]:
        return (f"{video_id}/{row}" for video_id, row in self.rows)


def frames_with_depth(files: Files, split: str, every: int) -> tuple[FrameRows, dict[str, str]]:
    """Return every ``every``-th frame of a split that has depth, and what the index notes of each video's groups.

    Of a video of which an earlier release noted nothing, that is empty.

    Files of the index are read one after the other; of each no more is kept than numbers.

    Raises:
        FileNotFoundError: there is no index.
        CorruptStore: it does not read back.
    """
    table = read_index(files, _COLUMNS, _numbers_of(split)).unify_dictionaries()
    video_codes, made_codes = (_codes(table[name])[::every] for name in ("video_id", "made"))
    rows = table["row"].to_numpy()[::every].astype(np.int32)
    ids, notes = (_dictionary(table[name]) for name in ("video_id", "made"))
    found, firsts, places = np.unique(video_codes, return_index=True, return_inverse=True)
    videos = tuple(ids[code] for code in found)
    made = {video_id: notes[code] for video_id, code in zip(videos, made_codes[firsts], strict=True)}
    return FrameRows(videos, places.astype(np.int32), rows), made


def _numbers_of(split: str) -> Callable[[pa.Table], pa.Table]:
    """Return what takes of a file of the index the frames of a split with depth, strings as numbers."""

    def numbers(table: pa.Table) -> pa.Table:
        wanted = pc.greater(table["depth_share"], 0)
        if split != "all":
            wanted = pc.and_(wanted, pc.equal(table["split"], split))
        kept = table.filter(wanted)
        texts = {"video_id": kept["video_id"], "made": pc.fill_null(kept["made"], "")}
        coded = {name: text.dictionary_encode() for name, text in texts.items()}
        return pa.table({**coded, "row": kept["row"]})

    return numbers


def _codes(column: pa.ChunkedArray) -> NDArray[np.int32]:
    return np.concatenate([np.zeros(0, np.int32), *(chunk.indices.to_numpy() for chunk in column.chunks)])


def _dictionary(column: pa.ChunkedArray) -> list[str]:
    return list(column.chunk(0).dictionary.to_pylist()) if column.num_chunks else []
