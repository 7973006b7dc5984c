"""Datasets by kind and path, and every n-th frame of them."""

from pathlib import Path

import pytest

from tests.training.rooms import RoomFrames, stored_frames
from training.data.export import export_monoscene
from training.data.source import FramesSource
from training.errors import UnusableDataset


def test_every_nth_frame_is_said_in_the_origin(tmp_path: Path):
    whole = stored_frames(tmp_path / "data")
    stored = FramesSource(path=str(tmp_path / "data"), every=4).open("train")
    assert stored.names == whole.names[::4]
    assert stored.origin.endswith("split train, every 4th frame")
    with pytest.raises(UnusableDataset, match=r"read every frame \(split=all, after --read\)"):
        FramesSource(path=str(tmp_path / "data")).open("test")
    assert len(FramesSource(path=str(tmp_path / "data"), split="all").open("test")) == len(whole)
    list(export_monoscene(RoomFrames(3), tmp_path / "nyu", "test"))
    rooms = FramesSource(kind="monoscene", path=str(tmp_path / "nyu"), every=2).open("test")
    assert rooms.names == ("NYU0001_0000", "NYU0003_0000")
    assert rooms[1].name == "NYU0003_0000"
    assert rooms.origin.endswith(", every 2th frame")


def test_a_benchmark_has_nothing_of_our_own(tmp_path: Path):
    with pytest.raises(UnusableDataset, match="nyu cannot be used here"):
        FramesSource(kind="nyu", path=str(tmp_path)).stored("train")
