"""A group takes its place in one switch: whatever is killed when, the old one or the new one is there, whole."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from pipeline.contract.errors import DiskFull
from pipeline.store import publish
from pipeline.store.contents import GROUP_METADATA, altered
from pipeline.store.files import Files
from pipeline.store.store import Store
from pipeline.store.video import VideoStore
from tests.paths import ROOT
from tests.pipeline.small_files import files_limited_to

VIDEO = ("videos", "a")
PLACE = (*VIDEO, "scene.zarr", "scene")

KILLED_AT_CALLS = """
import os, signal, sys
import numpy as np
import zarr  # before the forks, which are cheap then
from pipeline.store.store import Store

CALLS = ("rename", "replace", "rmdir", "unlink", "mkdir", "fsync")

def write(video, version):
    with video.write_group("scene", {"version": version}) as group:
        group.append("first", np.full((66, 4, 4), version))
        group.append("second", np.full((66, 4, 4), version))

def killed_before_call(left):
    def counted(event, arguments):
        # os.fsync has no audit event; what comes before and after it has.
        if event in ("os.rename", "os.rmdir", "os.remove", "os.mkdir", "open", "shutil.rmtree"):
            counted.left -= 1
            if counted.left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
    counted.left = left
    return counted

for step in range(0, int(sys.argv[2]), int(sys.argv[3])):
    child = os.fork()
    if child == 0:
        video = Store(f"{sys.argv[1]}/{step}").video("a")
        with video.locked():
            write(video, 1)
            sys.addaudithook(killed_before_call(step))
            write(video, 2)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def write(video: VideoStore, version: int) -> None:
    with video.write_group("scene", {"version": version}) as group:
        group.append("depth", np.full((66, 4, 4), version))


def whole_version(video: VideoStore) -> int:
    """Return which version lies in its place, after all of its files were compared with their checksums."""
    assert list(altered(video.files, PLACE, video.listed("scene") or {})) == []
    version = int(video.attributes("scene")["version"])
    arrays = [name for name in video.files.names(*PLACE) if name != GROUP_METADATA]
    assert all((video.read("scene", name) == version).all() for name in arrays)
    return version


def test_a_writer_killed_anywhere_leaves_the_old_group_or_the_new_one(tmp_path: Path):
    steps = range(0, 180, 6)  # every sixth, which takes seconds; a run over all of them gave the same
    killed = [sys.executable, "-c", KILLED_AT_CALLS, str(tmp_path), str(steps.stop), str(steps.step)]
    ended = subprocess.run(killed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert ended[0] == str(-signal.SIGKILL)
    assert ended[-1] == "0", "raise the number of steps: the last writer was killed too"
    found = []
    for step in steps:
        video = Store(tmp_path / str(step)).video("a")
        with video.locked():
            found.append(whole_version(video))
        assert not (tmp_path / str(step) / "videos/a" / publish.SWITCHING).exists()
        assert list((tmp_path / str(step) / "scratch" / "a").rglob("*.json")) == []
    assert sorted(set(found)) == [1, 2]
    assert found == sorted(found), "once the new group is there it stays"


@pytest.mark.parametrize("waits", ["new", "old"])
@pytest.mark.parametrize("where", ["folder", "bucket"])
def test_what_was_interrupted_is_finished_when_the_video_is_locked(tmp_path: Path, where: str, waits: str):
    url = str(tmp_path / "data") if where == "folder" else f"memory://{uuid4().hex}/set"
    video = Store(url, scratch=tmp_path / "scratch").video("a")
    write(video, 1)
    video.files.move_folder(PLACE, (*VIDEO, publish.SWITCHING, "scene", waits))
    assert not video.has_group("scene")
    with video.locked():
        assert whole_version(video) == 1
    assert not video.exists(publish.SWITCHING)


def test_half_a_group_that_waits_is_thrown_away_and_half_a_group_in_its_place_replaced(tmp_path: Path):
    video = Store(tmp_path).video("a")
    write(video, 1)
    waiting = tmp_path / "videos/a" / publish.SWITCHING / "scene"
    (waiting / "new" / "depth").mkdir(parents=True)
    publish.finish_switches(video.files, VIDEO)
    assert whole_version(video) == 1
    video.files.move_folder(PLACE, (*VIDEO, publish.SWITCHING, "scene", "old"))
    (tmp_path / "videos/a/scene.zarr/scene/depth").mkdir(parents=True)
    publish.finish_switches(video.files, VIDEO)
    assert whole_version(video) == 1


def test_a_full_disk_leaves_the_old_group(tmp_path: Path):
    video = Store(tmp_path).video("a")
    write(video, 1)
    with pytest.raises(DiskFull), files_limited_to(50_000), video.write_group("scene", {"version": 2}) as group:
        group.append("depth", np.random.default_rng(0).random((66, 40, 40)))
    assert whole_version(video) == 1


def test_a_draft_from_another_disk_takes_its_place_whole(tmp_path: Path):
    memory = Path("/dev/shm")  # noqa: S108 - a file system of its own
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system")
    scratch = memory / uuid4().hex
    video = Store(tmp_path, scratch=scratch).video("a")
    for version in (1, 2):
        with video.locked():
            write(video, version)
        assert whole_version(video) == version
    assert [path for path in (scratch / "a").rglob("*") if path.is_file()] == []


def test_readers_find_the_old_group_or_the_new_one_while_it_is_made_again(tmp_path: Path):
    video = Store(tmp_path).video("a")
    write(video, 1)
    reader = subprocess.Popen(
        [sys.executable, "-c", READ_ON, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert reader.stdout is not None
    assert reader.stdout.readline() == "reading\n"
    for version in range(2, 30):
        write(video, version)
    reader.send_signal(signal.SIGTERM)
    seen = json.loads(reader.communicate()[0])
    assert seen["mixed"] == []
    assert seen["missing"] == 0
    assert seen["read"] > 0


READ_ON = """
import json, signal, sys
from pipeline.contract.errors import ChangedSinceIndexed, CorruptStore, StageMissing
from pipeline.store.frames import FrameReader
from pipeline.store.store import Store

reader, seen, ended = FrameReader(Store(sys.argv[1])), {"read": 0, "missing": 0, "mixed": []}, []
reader.read("a", "scene/depth", 0)
signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
print("reading", flush=True)
while not ended:
    try:
        values = reader.read("a", "scene/depth", slice(None))
        seen["read"] += 1
        if values.min() != values.max():
            seen["mixed"].append([int(values.min()), int(values.max())])
    except StageMissing:
        seen["missing"] += 1
    except (ChangedSinceIndexed, CorruptStore):
        pass
print(json.dumps(seen))
"""


def test_damaged_things_are_moved_aside_and_none_takes_the_place_of_another(tmp_path: Path):
    video = Store(tmp_path).video("a")
    places = []
    for version in (1, 2):
        write(video, version)
        places.append(publish.set_aside(video.files, VIDEO, "scene.zarr/scene"))
        assert not video.has_group("scene")
    video.write_json("note.json", {"a": 1})
    places.append(publish.set_aside(video.files, VIDEO, "note.json"))
    names = [Path(place).relative_to(tmp_path).as_posix() for place in places]
    assert names == ["videos/a/damaged/scene-1", "videos/a/damaged/scene-2", "videos/a/damaged/note.json-1"]
    versions = [
        json.loads((Path(place) / GROUP_METADATA).read_bytes())["attributes"]["version"] for place in places[:2]
    ]
    assert versions == [1, 2]
    assert json.loads(Path(places[2]).read_bytes()) == {"a": 1}


def test_where_folders_cannot_be_swapped_the_old_one_waits_until_the_new_one_is_there(tmp_path: Path):
    files = Files(tmp_path)
    new, place = tmp_path / "new", tmp_path / "place"
    new.mkdir()
    assert not publish._exchange(new, place), "there is nothing to swap with"
    publish.switch(new, place)
    assert place.is_dir()
    assert files.names() == ["place"]
    assert list(place.iterdir()) == []
