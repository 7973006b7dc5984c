"""Which dataset, named in settings and on the command line."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from pipeline.store.store import Store, data_url
from training.data import Frames, MonoSceneRooms, NyuRooms, OccScanNetFrames, StoredFrames
from training.data.stored import Split
from training.data.subset import FrameSubset
from training.errors import UnusableDataset

DatasetKind = Literal["stored", "nyu", "monoscene", "occscannet"]


class FramesSource(BaseModel):
    """A dataset and how to read it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: DatasetKind = Field(
        "stored", description="stored: ours; nyu: SSCNet's files; monoscene: its pickles; occscannet"
    )
    path: str | None = Field(None, description="data folder or URL (stored), depthbin (nyu), folder above it, or root")
    version: str | None = Field(None, description="of a stored dataset; another one is refused")
    by: Literal["official", "by_space"] = Field("by_space", description="how occscannet is split")
    split: Split | None = Field(None, description="of a stored dataset; else what it is read for decides")
    every: int = Field(1, ge=1, description="of the frames every n-th is used; neighbours are much alike")
    unknown: Literal["ignore", "empty"] = Field("ignore", description="what 255 means in occscannet")

    def open(self, side: Literal["train", "test"]) -> Frames:
        """Return one side of the dataset; the test side of a stored one is its validation split.

        Raises:
            UnusableDataset, BrokenBenchmark: nothing there to read, or not what the kind says.
        """
        if self.kind == "stored":
            return self.stored(self.split or ("train" if side == "train" else "validation"))
        found = self._benchmark(side)
        every = range(0, len(found), self.every)
        return found if self.every == 1 else FrameSubset(found, every, f"every {self.every}th frame")

    def stored(self, split: Split) -> StoredFrames:
        """Return a split of our own dataset.

        Raises:
            UnusableDataset: the kind is a benchmark's, or there is no such dataset.
        """
        if self.kind != "stored":
            message = f"{self.kind} cannot be used here: only our own dataset (kind stored) has what is learned from"
            raise UnusableDataset(message)
        return StoredFrames(self.store(), split, self.version, self.every)

    def store(self) -> Store:
        """Return the store of our own dataset: as named, else YOUTUBE_OCC_DATA, else ./data."""
        return Store(data_url(self.path))

    def _benchmark(self, side: Literal["train", "test"]) -> Frames:
        folder = self._folder()
        if self.kind == "nyu":
            return NyuRooms(folder, side)
        if self.kind == "monoscene":
            return MonoSceneRooms(folder, folder / "depthbin", side)
        return OccScanNetFrames(folder, side, self.by, self.unknown)

    def _folder(self) -> Path:
        if self.path is None:
            message = f"say where the benchmark {self.kind} lies (path): it cannot be fetched for you"
            raise UnusableDataset(message)
        return Path(self.path)
