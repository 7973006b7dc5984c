"""One built tour for all tests of a session, made once whatever the number of workers."""

from pathlib import Path

import pytest
from filelock import FileLock

from pipeline.stages.base import Workbench
from pipeline.stages.run import is_built, process_video
from tests.pipeline.small_tour import small_workbench


@pytest.fixture(scope="session")
def built_tour(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    """The small tour with all seven stages done. Do not write to it: copy its folder."""
    shared = tmp_path_factory.getbasetemp()
    if "popen-" in shared.name:
        shared = shared.parent
    workbench = small_workbench(shared / "built_tour")
    with FileLock(shared / "built_tour.lock"):
        if not is_built(workbench.video, workbench.settings):
            list(process_video(workbench))
    return workbench


@pytest.fixture
def copied_tour(built_tour: Workbench, tmp_path: Path) -> Workbench:
    """The same in a folder of the test's own."""
    import shutil

    shutil.copytree(built_tour.video.files.root, tmp_path / "data")
    return small_workbench(tmp_path / "data")
