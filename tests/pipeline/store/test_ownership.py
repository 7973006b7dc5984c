"""A folder that may be anybody's is asked whose it is before anything in it is replaced or deleted."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pytest
from fsspec.implementations.local import LocalFileSystem

from pipeline.contract.errors import SettingsError, VideoLocked
from pipeline.sources.catalog.keyed_table import KeyedTable
from pipeline.sources.duplicates.fingerprints import Fingerprints
from pipeline.sources.web.hosts import Hosts
from pipeline.sources.web.settings import WebSettings
from pipeline.store.ownership import MARK, Ownership
from pipeline.store.store import Store
from pipeline.store.trees import PlainTree, Stamp
from pipeline.store.video import VideoStore
from tests.earlier import VIDEO, unpack_earlier_dataset
from tests.foreign import contents, foreign_folder, lost

KEPT = (
    "videos/tour-5/source.mp4",
    "videos/tour-5/source.json",
    "videos/tour-5/scene.zarr/frames/",
    "videos/tour-5/failure.json",
    "dataset/index.parquet",
    "dataset/summary.json",
    "catalog/parts.json",
    "fingerprints/parts.json",
)
WORK = (
    "scratch/tour-5/groups/frames/",
    "scratch/tour-5/download/",
    "scratch/tour-5/clips/",
    "scratch/fingerprints.sqlite",
)
LOCKS = ("scratch/tour-5.lock", "scratch/catalog.lock", "scratch/regions.index/", "scratch-2/groups/", "scratch-3")


def write_frames(video: VideoStore) -> None:
    with video.locked(), video.write_group("frames") as group:
        group.append("clip_id", np.zeros((2, 1), np.int32))


def replace_or_delete() -> dict[str, Callable[[Store], object]]:
    table = pa.table({"key": ["a"]})
    return {
        "a file": lambda store: store.write_bytes(b"ours", "dataset", "summary.json"),
        "a table": lambda store: store.write_table(table, "dataset", "index.parquet"),
        "a catalog": lambda store: KeyedTable(store, "catalog", table.schema, "key").change(lambda: None),
        "a group": lambda store: write_frames(store.video("tour-5")),
        "a dropped group": lambda store: store.video("tour-5").set_aside("scene.zarr/frames"),
        "a removed file": lambda store: store.video("tour-5").remove("source.mp4"),
        "a removed folder": lambda store: store.remove_folder("videos", "tour-5"),
        "a limit": lambda store: Hosts.of(store, WebSettings()),
    }


@pytest.mark.parametrize("what", replace_or_delete())
@pytest.mark.parametrize("name", KEPT)
def test_what_bears_the_name_of_a_dataset_and_is_none_stays(tmp_path: Path, name: str, what: str):
    before = foreign_folder(tmp_path, name)
    with pytest.raises(SettingsError, match=r"holds .*, which no dataset of this program wrote"):
        replace_or_delete()[what](Store(tmp_path))
    assert lost(before, tmp_path) == []


def test_a_dataset_among_foreign_folders_works_beside_them(tmp_path: Path):
    before = foreign_folder(
        tmp_path, *WORK, *LOCKS, "videos/", "dataset/", "catalog/", "videos/holiday/", f"{MARK}.part"
    )
    hashes = np.arange(72, dtype=np.uint64).reshape(24, 3)
    for _ in range(2):
        store = Store(tmp_path)
        assert store.scratch == tmp_path / "scratch-4"
        write_frames(store.video("tour-5"))
        store.write_bytes(b"{}", "dataset", "summary.json")
        Fingerprints(store).add(uuid4().hex, hashes)
        assert store.video("tour-5").read("frames", "clip_id").shape == (2, 1)
    assert lost(before, tmp_path) == []
    store.video("tour-5").set_aside("scene.zarr/frames")
    assert lost(before, tmp_path) == []


def test_a_dataset_of_an_earlier_release_goes_on_where_it_was(tmp_path: Path):
    data = unpack_earlier_dataset(tmp_path)
    write_frames(Store(data).video("other"))
    assert (data / MARK).exists()
    assert Store(data).scratch == data / "scratch"
    (data / MARK).unlink()
    assert Store(data).scratch == data / "scratch", "it is proven by what is in it"
    for name in ("catalog", "dataset"):
        for path in (data / name).glob("*"):
            path.unlink()
    Store(data).video(VIDEO).remove("failure.json")
    assert (data / MARK).exists(), "a single video proves it"


def test_looking_writes_nothing(tmp_path: Path):
    data = unpack_earlier_dataset(tmp_path)
    before = contents(data)
    Store(data).video(VIDEO).read("frames", "clip_id")
    assert contents(data) == before
    assert not Store(tmp_path / "nowhere").video("a").exists("source.json")
    assert not (tmp_path / "nowhere").exists()


def test_processes_that_begin_a_dataset_together_share_its_locks(tmp_path: Path):
    with Store(tmp_path).video("a").locked():
        (tmp_path / "scratch" / "a" / "groups").mkdir(parents=True)
        assert Store(tmp_path).scratch == tmp_path / "scratch"
        with pytest.raises(VideoLocked):
            Store(tmp_path).video("a").locked().__enter__()


def test_a_mark_leads_nowhere_else(tmp_path: Path):
    (tmp_path / MARK).write_text('{"scratch": "../../elsewhere"}')
    assert Store(tmp_path).scratch == tmp_path / "elsewhere"
    (tmp_path / MARK).write_text('{"scratch": ".."}')
    assert Store(tmp_path).scratch.resolve() == (tmp_path / "scratch").resolve()


def test_a_bucket_is_asked_the_same(tmp_path: Path):
    url = f"memory://{uuid4().hex}/set"
    store = Store(url, scratch=tmp_path)
    store.file_system.pipe_file(store.path("dataset", "summary.json"), b"a document")
    with pytest.raises(SettingsError, match="summary"):
        store.write_bytes(b"ours", "dataset", "summary.json")
    assert store.read_bytes("dataset", "summary.json") == b"a document"
    store.file_system.rm_file(store.path("dataset", "summary.json"))
    store.write_bytes(b"ours", "dataset", "summary.json")
    assert store.exists(MARK)
    Store(url, scratch=tmp_path).remove("dataset", "summary.json")


class Overtaken:
    """A tree in which, between the look for a mark and the next question, another process begins a dataset."""

    def __init__(self, store: Store) -> None:
        self._tree, self._other = store.tree, Store(str(store.root))

    def read(self, name: str) -> bytes:
        try:
            return self._tree.read(name)
        finally:
            if name == MARK and not self._other.exists(MARK):
                self._other.write_bytes(b"film", "videos", "room", "source.mp4")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tree, name)


def test_who_looked_before_another_began_takes_its_files_for_no_strangers(tmp_path: Path):
    tree: Any = Overtaken(Store(tmp_path))
    ownership = Ownership(tree, str(tmp_path))
    ownership.claim("scratch")
    assert ownership.is_claimed
    assert (tmp_path / "videos" / "room" / "source.mp4").read_bytes() == b"film"


class BegunMeanwhile(PlainTree):
    """Files of a folder in which another process begins a dataset just before somebody looks for ``scratch``."""

    def stamp(self, name: str) -> Stamp | None:
        if name == "scratch":
            Store(self._root).make_scratch()
        return super().stamp(name)


def test_who_looks_while_another_begins_the_dataset_shares_its_scratch(tmp_path: Path):
    tree = BegunMeanwhile(LocalFileSystem(), str(tmp_path), is_local=True)
    assert Ownership(tree, str(tmp_path)).scratch() == "scratch"
    assert Store(tmp_path).scratch == tmp_path / "scratch"
    (tmp_path / "other" / "scratch").mkdir(parents=True)
    assert Store(tmp_path / "other").scratch.name == "scratch-2", "this one is somebody else's"
