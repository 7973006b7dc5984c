"""A film is broken by what it holds, never by what this machine is short of; reading one leaves nothing behind."""

import gc
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pipeline.contract.errors import BrokenVideo, NotReadableNow
from pipeline.media import frames_near, iterate, probe
from pipeline.stages.video.bounds import check_bounds
from pipeline.stages.video.settings import VideoSettings
from tests.paths import ROOT
from tests.pipeline.videos import walk, write_video

READ = """
import resource, sys
from pathlib import Path
from pipeline.media import probe, iterate
from pipeline.stages.video.bounds import check_bounds
from pipeline.stages.video.settings import VideoSettings
from models.memory import data_bytes
path = Path(sys.argv[1])
list(iterate(path, 24))
{limit}
for read in (probe, lambda p: check_bounds(p, VideoSettings()), lambda p: list(iterate(p, 24))):
    try:
        read(path)
    except BaseException as error:
        print("MemoryError" if isinstance(error, MemoryError) else type(error).__name__)
"""


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("film") / "a.mp4", walk(1, 40))


def ends(film: Path, limit: str) -> set[str]:
    """Names of the errors that reading ends with in a process whose means are limited."""
    code = READ.format(limit=limit)
    ended = subprocess.run(
        [sys.executable, "-c", code, str(film)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return {*ended.stdout.split()}


def test_too_many_open_files_are_no_fault_of_the_film(film: Path):
    limit = "resource.setrlimit(resource.RLIMIT_NOFILE, (sum(1 for _ in Path('/proc/self/fd').iterdir()) - 1,) * 2)"
    assert ends(film, limit) == {"NotReadableNow"}


def test_a_machine_without_room_for_threads_is_no_fault_of_the_film(film: Path):
    limit = "resource.setrlimit(resource.RLIMIT_DATA, (data_bytes() + 3_000_000,) * 2)"
    found = ends(film, limit)
    assert found
    assert found <= {"NotReadableNow", "MemoryError"}


def test_a_file_whose_bytes_do_not_arrive_is_not_called_broken(tmp_path: Path):
    (tmp_path / "bad_disk.mp4").symlink_to("/proc/self/mem")  # its first bytes are an input/output error
    for read in (probe, lambda path: check_bounds(path, VideoSettings())):
        with pytest.raises(NotReadableNow, match=r"bad_disk\.mp4 cannot be decoded at the moment"):
            read(tmp_path / "bad_disk.mp4")
    (tmp_path / "text.mp4").write_bytes(b"no film" * 1000)
    with pytest.raises(BrokenVideo, match=r"text\.mp4 cannot be decoded"):
        probe(tmp_path / "text.mp4")


def test_a_film_that_was_read_holds_no_threads(film: Path):
    list(iterate(film, 24))
    gc.collect()
    before = threads()
    gc.disable()
    try:
        most = max(threads() for _ in iterate(film, 24))
        list(frames_near(film, np.array([0.1, 0.5, 0.9])))
        assert most - before < 20, "the decoder's own, of one film"
        assert threads() - before < 10
    finally:
        gc.enable()


def threads() -> int:
    return sum(1 for _ in Path("/proc/self/task").iterdir())
