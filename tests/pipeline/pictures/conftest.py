import pytest

from pipeline.store.video import VideoStore
from tests.pipeline.stored_room import store_room


@pytest.fixture(scope="session")
def room(tmp_path_factory: pytest.TempPathFactory) -> VideoStore:
    return store_room(tmp_path_factory.mktemp("room"))
