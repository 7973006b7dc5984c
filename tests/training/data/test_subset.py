"""Seeded shares of the labels, and whether there is anything to learn."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from tests.training.rooms import RoomFrames
from training.data import Sample, check_learnable, fraction
from training.data.subset import FrameSubset
from training.errors import UnusableDataset


def test_grids_in_which_all_is_unknown_are_refused():
    class Blank(RoomFrames):
        def __getitem__(self, index: int) -> Sample:
            return replace(super().__getitem__(index), labels=np.full((60, 60, 36), 255, np.uint8))

    with pytest.raises(UnusableDataset, match="every voxel of every grid is unknown"):
        check_learnable(Blank(2))


def test_fractions_are_nested_and_repeat():
    class Many(RoomFrames):
        def __init__(self) -> None:
            super().__init__(0)
            self.names = tuple(f"room/{number}" for number in range(10))

        def __len__(self) -> int:
            return len(self.names)

    frames = Many()
    shares = [fraction(frames, share, seed=3).names for share in (0.01, 0.2, 0.5, 1)]
    assert [len(names) for names in shares] == [1, 2, 5, 10]
    assert all(set(small) < set(large) for small, large in pairwise(shares))
    assert fraction(frames, 0.5, seed=3).names == shares[2]
    assert any(fraction(frames, 0.5, seed=seed).names != shares[2] for seed in (4, 5, 6))
    with pytest.raises(UnusableDataset, match="nothing to learn from"):
        fraction(frames, 0, seed=0)


def test_a_subset_gives_its_samples_in_the_order_asked_for():
    frames = RoomFrames(4)
    subset = FrameSubset(frames, [3, 0], "two of it")
    assert len(subset) == 2
    assert subset.names == ("room/0-3", "room/0-0")
    assert subset[0] is frames[3]
    assert subset.origin == "analytic room, seed 0, two of it"


def test_a_samples_place_in_a_share_stays_as_the_dataset_grows():
    class Named(RoomFrames):
        def __init__(self, names: tuple[str, ...]) -> None:
            super().__init__(0)
            self.names = names

        def __len__(self) -> int:
            return len(self.names)

    few = tuple(f"room/{number}" for number in range(10))
    small = fraction(Named(few), 0.5, seed=1)
    large = fraction(Named((*few, *(f"hall/{number}" for number in range(10)))), 0.5, seed=1)
    kept, still_kept = set(small.names), {name for name in large.names if name in few}
    assert kept <= still_kept or still_kept <= kept, "both take those that come first in one order"


@pytest.mark.parametrize("share", [-0.1, 0, 1.01])
def test_a_share_outside_of_zero_to_one_is_refused(share: float):
    with pytest.raises(UnusableDataset, match="nothing to learn from"):
        fraction(RoomFrames(1), share, seed=0)


def test_a_dataset_without_frames_is_refused():
    with pytest.raises(UnusableDataset, match="has no frames"):
        check_learnable(RoomFrames(0))
    with pytest.raises(UnusableDataset, match="of 0 samples"):
        fraction(RoomFrames(0), 0.5, seed=0)


def test_classes_that_no_grid_shows_are_named_once(caplog: pytest.LogCaptureFixture):
    check_learnable(RoomFrames(1))
    (record,) = caplog.records
    assert "tvs" in record.message
    assert "wall" not in record.message
    assert record.message.startswith("analytic room, seed 0: 1 grids")


def test_only_so_many_grids_are_looked_at():
    class Counting(RoomFrames):
        def __getitem__(self, index: int) -> Sample:
            read.append(index)
            return super().__getitem__(index)

    read: list[int] = []
    check_learnable(Counting(3), looked_at=2)
    assert read == [0, 2], "spread over the dataset"
