from pathlib import Path

import pytest

from pipeline.cli.printers import console
from tests.earlier import unpack_earlier_dataset

VARIABLES = ("YOUTUBE_OCC_DATA", "YOUTUBE_OCC_PROFILE", "YOUTUBE_OCC_SETTINGS", "SOURCES")


@pytest.fixture(autouse=True)
def _a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable and no sources file of the machine is heard, and lines are as long as they like."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr(console, "_width", 240)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A built dataset of one tour, six frames of one clip, profile ``small``."""
    return unpack_earlier_dataset(tmp_path)
