"""Batches of a dataset in a bucket, read by processes that torch forks or starts anew."""

from pathlib import Path

import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from pipeline.store.frames import FrameReader
from pipeline.store.store import Store
from tests.cluster.conftest import Bucket
from tests.pipeline.stored_room import FRAMES, store_room


class DepthMaps(Dataset[torch.Tensor]):
    """The depth maps of one video."""

    def __init__(self, reader: FrameReader, video_id: str) -> None:
        self._reader, self._video_id = reader, video_id

    def __len__(self) -> int:
        return FRAMES

    def __getitem__(self, row: int) -> torch.Tensor:
        return torch.from_numpy(self._reader.read(self._video_id, "scene/depth", row))


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_processes_of_a_loader_read_what_their_parent_reads(bucket: Bucket, tmp_path: Path, start: str):
    data = tmp_path / "data"
    data.mkdir()
    video_id = store_room(data).video_id
    files = [path for path in (data / "videos").rglob("*") if path.is_file()]
    Store(bucket.url).place_all({path.relative_to(data).parts: path for path in files})
    maps = DepthMaps(FrameReader(Store(bucket.url)), video_id)
    expected = torch.stack([maps[row] for row in range(FRAMES)])
    loader = DataLoader(maps, 2, num_workers=1, multiprocessing_context=start, timeout=120)
    assert torch.equal(torch.cat(list(loader)), expected)
