from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

import pipeline
from tests.earlier import FRAMES, unpack_earlier_dataset
from training import OccupancyDataset


def test_a_loader_with_workers_gives_the_frames_in_batches(tmp_path: Path):
    frames = pipeline.Dataset(unpack_earlier_dataset(tmp_path))
    loader = DataLoader(OccupancyDataset(frames), batch_size=4, num_workers=1, multiprocessing_context="spawn")
    batches = list(loader)
    assert [len(batch["picture"]) for batch in batches] == [4, FRAMES - 4]
    whole = {name: torch.cat([batch[name] for batch in batches]) for name in batches[0]}
    assert whole["picture"].shape == (FRAMES, 3, 480, 640)
    assert whole["grid"].shape == (FRAMES, 60, 60, 36)
    for index, frame in enumerate(frames):
        assert np.array_equal(whole["picture"][index].permute(1, 2, 0), frame.picture)
        assert np.array_equal(whole["depth"][index], frame.depth)
        assert np.array_equal(whole["grid"][index], frame.grid.labels)
        assert np.array_equal(whole["camera_to_world"][index], frame.camera.camera_to_world)


def test_only_what_is_asked_for_is_read(tmp_path: Path):
    data = unpack_earlier_dataset(tmp_path)
    item = OccupancyDataset(pipeline.Dataset(data)[:2], ("grid", "origin"))[1]
    assert {name: tensor.dtype for name, tensor in item.items()} == {"grid": torch.uint8, "origin": torch.float32}
    with pytest.raises(ValueError, match="frames have no flow; they have picture, depth"):
        OccupancyDataset([], ("flow",))
