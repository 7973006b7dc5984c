"""The frames of a dataset as Python objects, read when they are looked at."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, overload

import pyarrow.compute as pc

from pipeline.contract.errors import StageMissing
from pipeline.store.frames import Frame, FrameReader
from pipeline.store.index import read_index, read_summary
from pipeline.store.store import Store

COLUMNS = ("video_id", "row", "clip_id", "split", "time_s", "made")


class Dataset(Sequence[Frame]):
    """The frames of a dataset, in the order of its index.

    Args:
        data: folder or URL of the dataset.
        split: ``train`` or ``validation``; both by default.
        video_id: frames of this video alone.

    Raises:
        StageMissing: there is no dataset.
        ValueError: no such split.
    """

    def __init__(
        self,
        data: str | Path = "data",
        split: Literal["train", "validation"] | None = None,
        video_id: str | None = None,
    ) -> None:
        if split not in (None, "train", "validation"):
            raise ValueError(f"a dataset has the splits 'train' and 'validation', not {split!r}")
        self.store = Store(data)
        self.summary = read_summary(self.store)
        if self.summary is None:
            raise StageMissing(f"{self.store.path('dataset')} holds no dataset: build one with 'make build_dataset'")
        rows = read_index(self.store, COLUMNS)
        for column, wanted in (("split", split), ("video_id", video_id)):
            if wanted is not None:
                rows = rows.filter(pc.equal(rows[column], wanted))
        self._rows, self._reader = rows, FrameReader(self.store)

    def __len__(self) -> int:
        return int(self._rows.num_rows)

    @overload
    def __getitem__(self, index: int) -> Frame: ...
    @overload
    def __getitem__(self, index: slice) -> list[Frame]: ...
    def __getitem__(self, index: int | slice) -> Frame | list[Frame]:
        """Return a frame, or a list of frames; nothing is read from the store yet."""
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(f"there are {len(self)} frames, no frame {index}")
        row = {column: self._rows[column][index % len(self)].as_py() for column in self._rows.column_names}
        return Frame(**row, reader=self._reader)
