"""Datasets behind one another."""

from tests.training.rooms import RoomFrames
from training.data import Chained
from training.data.subset import FrameSubset


def test_a_chain_gives_every_dataset_in_order():
    first, second = RoomFrames(2), RoomFrames(3, seed=1)
    chain = Chained([FrameSubset(second, [2, 0], "two of it"), first])
    assert len(chain) == len(chain.names) == 4
    assert [chain[i].name for i in range(4)] == [*chain.names] == ["room/1-2", "room/1-0", "room/0-0", "room/0-1"]
    assert chain.origin == "analytic room, seed 1, two of it + analytic room, seed 0"


def test_an_empty_dataset_in_a_chain_takes_no_place():
    chain = Chained([RoomFrames(0), RoomFrames(1, seed=2), RoomFrames(0), RoomFrames(1)])
    assert [chain[index].name for index in range(len(chain))] == ["room/2-0", "room/0-0"]
