"""One built tour for all tests of a session, made once whatever the number of workers."""

from pathlib import Path

import pytest

from pipeline.stages.base import Workbench
from pipeline.stages.run import is_built, process_video
from tests.pipeline.small_tour import small_workbench
from tests.shared import shared_folder


@pytest.fixture(scope="session")
def built_tour(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    """The small tour with all seven stages done. Do not write to it: copy its folder."""
    with shared_folder(tmp_path_factory, "built_tour") as folder:
        workbench = small_workbench(folder)
        if not is_built(workbench.video, workbench.settings):
            list(process_video(workbench))
    return workbench


@pytest.fixture
def copied_tour(built_tour: Workbench, tmp_path: Path) -> Workbench:
    """The same in a folder of the test's own."""
    import shutil

    shutil.copytree(built_tour.video.files.root, tmp_path / "data")
    return small_workbench(tmp_path / "data")
