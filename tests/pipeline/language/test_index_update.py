"""The index follows the dataset part by part, whatever is killed, cut or full on the way."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pipeline.contract.errors import DiskFull
from pipeline.contract.progress import Progress
from pipeline.language import index_part, index_update
from pipeline.language.index import FOLDER, open_index
from pipeline.language.index_part import array_paths
from pipeline.language.text import SanText
from pipeline.store.store import Store
from tests.paths import ROOT
from tests.pipeline.language.made_up_regions import WIDTH, content, refresh, store_regions, unit
from tests.pipeline.small_files import files_limited_to

NAMES = [f"v{number}" for number in range(7)]
IN_PARTS = [NAMES[:3], NAMES[3:6], NAMES[6:]]
STEPS = 40
"""More than there are steps in which an update of two parts touches files."""


@pytest.fixture(autouse=True)
def parts_of_three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_part, "VIDEOS_A_PART", 3)
    monkeypatch.setattr(index_update, "AT_ONCE", 3)


@pytest.fixture
def store(tmp_path: Path, text: SanText) -> Store:
    """Seven videos in three parts, as the last refresh knows them."""
    store = Store(tmp_path / "data")
    for name in NAMES:
        store_regions(store, name, 20, text)
    refresh(store)
    open_index(store, text)
    return store


def files(store: Store) -> dict[str, int]:
    """Return the files of the index, and what tells each from one of the same name."""
    return {path.name: path.stat().st_ino for path in (store.scratch / FOLDER).iterdir()}


def videos_in_parts(store: Store, text: SanText) -> list[list[str]]:
    return [part.videos["video_id"].to_pylist() for part in open_index(store, text).parts]


def lose_notes(store: Store, names: list[str]) -> None:
    """Delete what videos say of themselves: whoever looks at one then finds it unfinished."""
    for name in names:
        Path(store.path("videos", name, "scene.zarr", "semantics", "zarr.json")).unlink()


def test_nothing_changed_nothing_is_looked_at_or_written(store: Store, text: SanText):
    before = files(store)
    lose_notes(store, NAMES)
    assert videos_in_parts(store, text) == IN_PARTS
    assert files(store) == before


def test_a_changed_video_costs_its_part_alone_and_no_look_at_the_others(store: Store, text: SanText):
    before = files(store)
    changed = store_regions(store, "v4", 25, text, fingerprint="2")
    lose_notes(store, [name for name in NAMES if name != "v4"])
    index = open_index(store, text)
    assert [part.videos["video_id"].to_pylist() for part in index.parts] == IN_PARTS
    assert content(index)["v4"] == changed.astype(np.float16).tobytes()
    after = files(store)
    assert {name for name in before if after.get(name) == before[name]} == {
        "index.lock", "000000.parquet", "000002.parquet",
        *(path.name for part in (index.parts[0], index.parts[2]) for path in array_paths(Path(), part.version)),
    }  # fmt: skip
    assert len(after) == len(before)
    asked = unit(np.random.default_rng(1), 1)[0]
    best = int(np.argmax(changed @ asked))
    assert index.search_video("v4", asked, 1)[0].region == best


def test_a_video_that_was_made_again_as_it_was_is_read_again(store: Store, text: SanText):
    """Networks on a graphics card do not give the same bits twice; the fingerprint stays."""
    other = unit(np.random.default_rng(5), 21).astype(np.float16)
    video = store.video("v1")
    with video.locked(), video.write_group("semantics", {**video.attributes("semantics"), "seconds": 1.25}) as group:
        group.append("region_embeddings", other, 256)
    refresh(store)
    assert content(open_index(store, text))["v1"] == other.tobytes()


def test_where_only_later_stages_were_run_no_region_is_written(store: Store, text: SanText):
    before = files(store)
    video = store.video("v1")
    with video.locked(), video.write_group("occupancy", {**video.attributes("occupancy"), "seconds": 1.25}):
        pass
    refresh(store)
    open_index(store, text)
    after = files(store)
    assert {name for name in before if after.get(name) != before[name]} == {"000000.parquet"}
    lose_notes(store, NAMES)
    assert videos_in_parts(store, text) == IN_PARTS, "the index knows of it: nothing is looked at"


def test_videos_that_went_take_their_parts_along_and_new_ones_fill_the_last(store: Store, text: SanText):
    (store.scratch / FOLDER / "notes.txt").write_text("mine")
    for name in (*IN_PARTS[1], "v0"):
        shutil.rmtree(store.path("videos", name))
    for name in ("new-1", "new-2", "new-3"):
        store_regions(store, name, 5, text)
    assert videos_in_parts(store, text) == [["v1", "v2"], ["v6", "new-1", "new-2"], ["new-3"]]
    names = files(store)
    assert {name for name in names if name.endswith(".parquet")} == {f"{n:06d}.parquet" for n in (0, 2, 3)}
    assert len(names) == 3 * 3 + 2, "three parts of three files, the lock and a file of somebody else"


def test_a_video_that_lost_its_embeddings_is_found_no_more_and_not_looked_at_again(store: Store, text: SanText):
    store_regions(store, "v2", 0, text, fingerprint="2")
    refresh(store)
    assert videos_in_parts(store, text) == [["v0", "v1"], *IN_PARTS[1:]]
    lose_notes(store, NAMES)
    assert videos_in_parts(store, text) == [["v0", "v1"], *IN_PARTS[1:]]
    store_regions(store, "v2", 4, text, fingerprint="3")
    assert "v2" in open_index(store, text).video_ids()


def test_a_part_is_full_of_regions_too(tmp_path: Path, text: SanText, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(index_part, "ROWS_A_PART", 15)
    store = Store(tmp_path / "few")
    for name in NAMES[:4]:
        store_regions(store, name, 10, text)
    assert videos_in_parts(store, text) == [["v0", "v1"], ["v2", "v3"]]


@pytest.mark.parametrize("lost", ["notes of changes", "what is known", "both, and looked at again"])
def test_where_it_is_not_known_what_changed_every_video_is_looked_at(store: Store, text: SanText, lost: str):
    before = files(store)
    open_index(store, text)
    changed = store_regions(store, "v5", 25, text, fingerprint="2")
    if lost != "what is known":
        shutil.rmtree(store.scratch / "changes")
    if lost != "notes of changes":
        Path(store.path("dataset", "videos.parquet")).write_bytes(b"PAR1")
    if lost == "both, and looked at again":
        refresh(store)
    assert content(open_index(store, text))["v5"] == changed.astype(np.float16).tobytes()
    same = {name for name, inode in files(store).items() if before.get(name) == inode}
    assert len(same) == 1 + 2 * 3, "the lock, and all files of the parts that nothing happened to"


def test_what_is_open_stays_as_it_was_and_no_file_stays_open(store: Store, text: SanText):
    opened = len(list(Path("/proc/self/fd").iterdir()))
    index = open_index(store, text)
    assert len(list(Path("/proc/self/fd").iterdir())) == opened
    before = content(index)
    store_regions(store, "v0", 25, text, fingerprint="2")
    after = open_index(store, text)
    assert content(index) == before
    assert content(after)["v0"] != before["v0"]


@pytest.mark.parametrize("damage", ["float16 cut", "int8 cut", "rows gone", "table cut", "table gone", "two tables"])
def test_a_damaged_part_is_made_again_and_nothing_of_it_is_left(store: Store, text: SanText, damage: str):
    index = open_index(store, text)
    right, folder = content(index), store.scratch / FOLDER
    (floats, codes), table = array_paths(folder, index.parts[1].version), folder / "000001.parquet"
    if damage.endswith("cut"):
        path = {"float16 cut": floats, "int8 cut": codes, "table cut": table}[damage]
        os.truncate(path, path.stat().st_size - 1)
    elif damage == "two tables":
        shutil.copy(table, folder / "000007.parquet")
    else:
        (floats if damage == "rows gone" else table).unlink()
    assert content(open_index(store, text)) == right
    assert len(files(store)) == 3 * 3 + 1


def test_an_index_of_an_earlier_release_goes_and_nothing_else(store: Store, text: SanText):
    folder, version = store.scratch / FOLDER, "0" * 32
    right = content(open_index(store, text))
    earlier = ("index.json", f"{version}-float16.npy", f"{version}-int8.npy", f"{version}.part")
    foreign = ("index.json.bak", "mine-float16.npy", f"{version}.npy", "1.parquet", "photo.jpg")
    for name in (*earlier, *foreign):
        (folder / name).write_text("{}")
    assert content(open_index(store, text)) == right
    assert not {*earlier} & files(store).keys()
    assert {*foreign} <= files(store).keys()


def test_a_full_disk_leaves_what_was_there_and_no_half_of_a_part(store: Store, text: SanText):
    before = files(store)
    changed = store_regions(store, "v4", 25, text, fingerprint="2")
    with files_limited_to(50 * WIDTH * 2), pytest.raises(DiskFull):  # a part has 65 regions now
        open_index(store, text)
    assert files(store) == before
    assert content(open_index(store, text))["v4"] == changed.astype(np.float16).tobytes()


def test_an_update_that_is_broken_off_keeps_the_parts_that_are_whole(store: Store, text: SanText):
    shutil.rmtree(store.scratch / FOLDER)
    with pytest.raises(KeyboardInterrupt):
        open_index(store, text, _broken_off_at(5))
    assert {name for name in files(store) if name.endswith("parquet")} == {"000000.parquet"}
    assert len(files(store)) == 3 + 1
    lose_notes(store, IN_PARTS[0])
    assert videos_in_parts(store, text) == IN_PARTS


def _broken_off_at(number: int) -> Progress:
    def progress(task: str, done: float, total: float, note: str = "") -> None:
        del task, total, note
        if done == number:
            raise KeyboardInterrupt

    return progress


KILLED_AT_A_STEP = """
import os, signal, sys
from pathlib import Path
from pipeline.language import index_part, index_update
from pipeline.language.index import FOLDER, open_index
from pipeline.language.text import SanText
from pipeline.stages.semantics.settings import SanSettings
from pipeline.store.store import Store

index_part.VIDEOS_A_PART = 3
root, checkpoint, steps = sys.argv[1:]
text = SanText(SanSettings.model_validate({"weights": checkpoint}))
text.weights

def update(step):
    left = [step]
    def touched(event, arguments):
        writes = event in ("os.rename", "os.remove") or (event == "open" and arguments[2] & os.O_ACCMODE)
        if (writes or event == "open" and ".draft" in str(arguments[0])) and FOLDER in str(arguments[0]):
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(touched)
    open_index(Store(Path(root) / str(step)), text)

for step in range(1, int(steps) + 1):
    child = os.fork()
    if not child:
        update(step)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(code)
    if not code:
        break
"""
"""The child of each step is killed before it writes, renames or deletes a file of the index for the n-th time."""


def test_killed_at_any_step_nothing_is_wrong_and_nothing_is_left(
    store: Store, text: SanText, checkpoint: Path, tmp_path: Path
):
    changed = store_regions(store, "v1", 25, text, fingerprint="2")
    shutil.rmtree(store.path("videos", "v6"))
    new = store_regions(store, "new", 5, text)
    steps = [Store(tmp_path / "steps" / str(step)) for step in range(1, STEPS + 1)]
    for step in steps:
        shutil.copytree(store.root, step.root, copy_function=os.link)
    command = [sys.executable, "-c", KILLED_AT_A_STEP, str(tmp_path / "steps"), str(checkpoint), str(STEPS)]
    ended = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    codes = [int(line) for line in ended.stdout.split()]
    assert codes == [-9] * (len(codes) - 1) + [0], ended.stderr
    assert len(codes) > 10
    right = content(open_index(store, text))
    assert (right["v1"], right["new"]) == tuple(rows.astype(np.float16).tobytes() for rows in (changed, new))
    for step in steps[: len(codes)]:
        index = open_index(step, text)
        assert content(index) == right
        assert len(files(step)) == 3 * len(index.parts) + 1
