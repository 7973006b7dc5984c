"""An export that was killed, or whose disk really filled up, goes on where it was and ends as if nothing had been."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.contract.errors import StageMissing
from pipeline.store.store import Store
from tests.earlier import VIDEO, unpack_earlier_dataset
from tests.paths import ROOT
from training.exports.run import LOCK, PARTS, export_dataset

VIDEOS = ("a", "b", "c")
BEGIN = """
import os, signal, subprocess, sys
from pathlib import Path
from pipeline.contract.errors import DiskFull
from pipeline.store.store import Store
from training.exports.run import PARTS, export_dataset

data, out, name = Store(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
"""
KILLED = f"""{BEGIN}
left = int(sys.argv[4])

def count(event, arguments):
    global left
    if event == "open" and PARTS in str(arguments[0]):
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(count)
export_dataset(data, out, name)
"""
FULL = f"""{BEGIN}
disk = out.parent
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2500k", "tmpfs", disk], check=True)
try:
    export_dataset(data, out, name)
except DiskFull as error:
    print(error)
print(sorted(path.name for path in out.iterdir()))
subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
export_dataset(data, out, name)
subprocess.run(["cp", "-r", out, sys.argv[4]], check=True)
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Three videos, each a clip of six frames."""
    data = unpack_earlier_dataset(tmp_path_factory.mktemp("earlier"))
    index = data / "dataset" / "index.parquet"
    rows = pq.read_table(index)
    for name in VIDEOS:
        (data / "videos" / name).symlink_to(data / "videos" / VIDEO)
    named = [rows.set_column(0, "video_id", pa.array([name] * rows.num_rows)) for name in VIDEOS]
    pq.write_table(pa.concat_tables(named), index)
    return Store(data)


@pytest.fixture(scope="module")
def whole(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The export that nothing happened to."""
    out = tmp_path_factory.mktemp("whole") / "out"
    export_dataset(store, out, "colmap")
    return out


def content(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file() and path.name != LOCK)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def run(script: str, *arguments: object, before: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    command = [*before, sys.executable, "-W", "ignore", "-c", script, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)


def test_after_a_kill_there_are_whole_clips_and_the_next_run_writes_the_others(
    store: Store, whole: Path, tmp_path: Path
):
    out, wanted = tmp_path / "out", content(whole)
    ended = run(KILLED, store.root, out, "colmap", 15)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert [path.name for path in sorted(out.iterdir()) if path.name[0] != "."] == ["a_001"], "killed in the second"
    assert list((out / PARTS).rglob("*.jpg")), "what was being written"
    kept = (out / "a_001" / "sparse" / "0" / "images.bin").stat().st_mtime_ns
    export_dataset(store, out, "colmap")
    assert content(out) == wanted
    assert (out / "a_001" / "sparse" / "0" / "images.bin").stat().st_mtime_ns == kept


def test_a_video_that_was_dropped_is_named_and_what_was_finished_stays(store: Store, tmp_path: Path):
    data = tmp_path / "data"
    shutil.copytree(Path(str(store.root)) / "dataset", data / "dataset")
    shutil.copytree(Path(str(store.root)) / "videos", data / "videos", symlinks=True)
    (data / "videos" / "b").unlink()
    with pytest.raises(StageMissing, match=r"b has no group .*: dropped, or yet"):
        export_dataset(Store(data), tmp_path / "out", "ply")
    assert [path.name for path in (tmp_path / "out").glob("[!.]*")] == ["a_001.ply"]


def test_a_disk_that_is_full_leaves_whole_clips_and_with_room_the_next_run_writes_the_others(
    store: Store, whole: Path, tmp_path: Path
):
    own_mounts = ("unshare", "--map-root-user", "--mount")
    if shutil.which("unshare") is None or run("", before=own_mounts).returncode:
        pytest.skip("this user may mount no file system of a given size")
    disk, copy = tmp_path / "disk", tmp_path / "copy"
    disk.mkdir()
    ended = run(FULL, store.root, disk / "out", "colmap", copy, before=own_mounts)
    assert ended.returncode == 0, ended.stderr
    told, held = ended.stdout.splitlines()
    assert "free some and run the same command again" in told
    assert "'a_001'" in held
    assert "'c_001'" not in held
    assert PARTS not in held
    assert content(copy) == content(whole)
