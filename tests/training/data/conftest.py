"""A benchmark of two pictures, exported once, and a copy of it to spoil."""

from pathlib import Path

import pytest

from tests.training.rooms import RoomFrames
from training.data.export import export_monoscene


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("nyu")
    assert list(export_monoscene(RoomFrames(2), folder, "train")) == ["NYU0001_0000", "NYU0002_0000"]
    return folder
