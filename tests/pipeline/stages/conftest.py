"""A stored video of an analytic room: one for all tests of a session, and copies to be written to."""

import shutil
from pathlib import Path

import pytest

from pipeline.store.store import Store
from pipeline.store.video import VideoStore
from tests.pipeline.stored_room import store_room


@pytest.fixture(scope="session")
def stored_room(tmp_path_factory: pytest.TempPathFactory) -> VideoStore:
    """The room with all its groups. Do not write to it."""
    return store_room(tmp_path_factory.mktemp("stored_room"))


@pytest.fixture
def own_room(stored_room: VideoStore, tmp_path: Path) -> VideoStore:
    """The same in a folder of the test's own."""
    shutil.copytree(stored_room.files.root, tmp_path / "room")
    return Store(tmp_path / "room").video(stored_room.video_id)
