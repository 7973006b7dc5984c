from pathlib import Path
from typing import NamedTuple

import pytest

from tests.examples.scripts import run_script
from tests.shared import shared_folder


class Built(NamedTuple):
    """A dataset that ``one_video.py`` built of a short tour, and what it printed."""

    data: Path
    printed: str


@pytest.fixture(scope="session")
def one_video(tmp_path_factory: pytest.TempPathFactory) -> Built:
    with shared_folder(tmp_path_factory, "paper") as folder:
        data, printed = folder / "data", folder / "printed.txt"
        if not printed.exists():
            printed.write_text(run_script(folder, "one_video.py", "tour://1", "--short", "--data", str(data)))
        return Built(data, printed.read_text())
