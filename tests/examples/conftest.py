from pathlib import Path
from typing import NamedTuple

import pytest

from tests.examples.scripts import run_script


class Built(NamedTuple):
    """A dataset that ``one_video.py`` built of a short tour, and what it printed."""

    data: Path
    printed: str


@pytest.fixture(scope="session")
def one_video(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("paper")
    data = folder / "data"
    return Built(data, run_script(folder, "one_video.py", "tour://1", "--short", "--data", str(data)))
