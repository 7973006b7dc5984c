"""The place of a study whose rooms are there already."""

from pathlib import Path

import pytest

from pipeline.tours.seeds import ROOM_SEEDS
from tests.training.rooms import RoomFrames, stored_frames
from training.data.export import with_nyu_camera, write_room


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The place of a study whose rooms are there already: the analytic one, under the names of those of two houses."""
    made = tmp_path_factory.mktemp("study")
    for seed, side in enumerate(("train", "test")):
        room = with_nyu_camera(RoomFrames(1, seed=seed)[0])
        write_room(room, made / "rooms", side, f"NYU{ROOM_SEEDS[side][0]}_0000")
    stored_frames(made / "data")
    return made
