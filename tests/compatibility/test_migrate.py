"""``migrate`` brings the dataset of release 0.1 to today's format; it may be killed at any moment."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from pipeline.dataset.index import build_dataset
from pipeline.dataset.migrate import Migrated, describe_dataset, migrate
from pipeline.dataset.turns import LEASE
from pipeline.dataset.verify import verify
from pipeline.settings import load_settings
from pipeline.sources.catalog.catalog import Catalog
from pipeline.stages.base import Workbench
from pipeline.stages.run import process_video
from pipeline.store.description import axes, root_attributes
from pipeline.store.lease import place_of
from pipeline.store.store import Store
from tests.earlier import VIDEO, unpack_earlier_dataset
from tests.paths import ROOT

GROUPS = ("frames", "occupancy", "reconstruction", "scene", "semantics")
KILLED = """
import os, signal, sys
from pipeline.dataset.migrate import migrate
from pipeline.store.store import Store

left, (folder, video) = int(sys.argv[1]), sys.argv[2:]

def count(event, arguments):
    global left
    if event in ("os.rename", "os.link", "os.rmdir", "os.mkdir", "ctypes.dlsym"):
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

store = Store(folder)
sys.addaudithook(count)
list(migrate(store, [video]))
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(unpack_earlier_dataset(tmp_path))


def hierarchy(store: Store) -> zarr.Group:
    return zarr.open_group(store.path("videos", VIDEO, "scene.zarr"), mode="r")


def values(store: Store) -> dict[str, np.ndarray]:
    return {f"{group}/{name}": array[:] for group in GROUPS for name, array in hierarchy(store)[group].arrays()}


def told(store: Store) -> dict[str, dict[str, Any]]:
    return {group: store.video(VIDEO).attributes(group) for group in GROUPS}


def states(store: Store) -> dict[str, tuple[int, int]]:
    paths = (path for path in Path(store.root).rglob("*") if path.is_file() and "scratch" not in path.parts)
    return {str(path): (path.stat().st_ino, path.stat().st_mtime_ns) for path in paths}


def same(before: dict[str, np.ndarray], after: dict[str, np.ndarray]) -> bool:
    return before.keys() == after.keys() and all(
        np.array_equal(before[name], after[name], equal_nan=before[name].dtype.kind == "f") for name in before
    )


def test_attributes_and_axes_are_those_of_today_and_values_and_provenance_as_they_were(store: Store):
    before, provenance = values(store), told(store)
    assert list(migrate(store, [VIDEO])) == [Migrated(VIDEO, GROUPS)]
    assert hierarchy(store).attrs.asdict() == root_attributes()
    for group in GROUPS:
        listed = store.video(VIDEO).listed(group)
        assert listed is not None, "checksums from now on"
        for name, array in hierarchy(store)[group].arrays():
            assert array.metadata.dimension_names == axes(name, array.ndim)
            assert f"{name}/zarr.json" in listed
    assert same(before, values(store))
    assert told(store) == provenance
    assert list(verify(store, [VIDEO])) == []


def test_nothing_is_made_again_after_it_and_the_index_stays_what_it_is(store: Store):
    with pytest.warns(FutureWarning):
        settings = load_settings("small", Path(store.root).parent / "settings.yaml")
    summary = build_dataset(store, settings.dataset)
    assert describe_dataset(store), "the index of release 0.1 had no card"
    list(migrate(store, [VIDEO]))
    reports = list(process_video(Workbench(store.video(VIDEO), Catalog(store), settings)))
    assert all(report.reused for report in reports)
    assert build_dataset(store, settings.dataset) == summary
    croissant = json.loads(store.read_bytes("dataset", "croissant.json"))
    assert croissant["distribution"][0]["contentUrl"] == "index.parquet"


def test_a_dataset_is_described_in_the_turn_of_whoever_writes_its_tables(store: Store):
    with pytest.raises(FileNotFoundError):
        store.shared.get(place_of(LEASE))
    assert describe_dataset(store)
    content, _ = store.shared.get(place_of(LEASE))
    assert json.loads(content) == {}, "it was taken, and let go"


def test_a_second_time_nothing_is_touched(store: Store):
    list(migrate(store, [VIDEO]))
    describe_dataset(store)
    before = states(store)
    assert list(migrate(store, [VIDEO])) == []
    assert not describe_dataset(store)
    assert states(store) == before


def test_killed_at_any_moment_every_value_is_there_and_the_next_run_ends_it(store: Store):
    before, done = values(store), list[int]()
    for step in (3, 30, 75, 16, 50):
        command = [sys.executable, "-W", "ignore", "-c", KILLED, str(step), str(store.root), VIDEO]
        ended = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
        assert ended.returncode == -signal.SIGKILL, ended.stderr
        assert same(before, values(store)), f"killed after {step} steps"
        done.append(sum(store.video(VIDEO).listed(group) is not None for group in GROUPS))
        assert "format_version" not in hierarchy(store).attrs, "the root is written last"
    assert done == sorted(done)
    assert 0 < done[-1] < len(GROUPS), "what is done stays done"
    list(migrate(store, [VIDEO]))
    assert same(before, values(store))
    assert hierarchy(store).attrs.asdict() == root_attributes()
    assert not list(Path(store.root).rglob("switching"))
    assert list(verify(store, [VIDEO])) == []


def test_a_damaged_group_is_named_and_left_as_it_is(store: Store):
    shard = next(Path(store.path("videos", VIDEO, "scene.zarr", "scene", "depth")).rglob("c/0/0/0"))
    shard.write_bytes(b"\0" * shard.stat().st_size)
    before = shard.stat().st_ino
    (found,) = migrate(store, [VIDEO])
    assert found.groups == ()
    assert "scene/depth" in found.problem
    assert "verify --set-aside" in found.problem
    assert shard.stat().st_ino == before
    assert store.video(VIDEO).listed("scene") is None
    assert "format_version" not in hierarchy(store).attrs


def test_a_later_format_is_left_alone(store: Store):
    root = Path(store.path("videos", VIDEO, "scene.zarr", "zarr.json"))
    content = json.loads(root.read_text(encoding="utf-8"))
    root.write_text(json.dumps({**content, "attributes": {"format_version": 3}}), encoding="utf-8")
    before = states(store)
    (found,) = migrate(store, [VIDEO])
    assert "is of format version 3" in found.problem
    assert "update youtube-occ" in found.problem
    assert states(store) == before


def test_words_of_others_in_the_root_stay_and_copies_of_old_metadata_go(store: Store):
    path = store.path("videos", VIDEO, "scene.zarr")
    zarr.open_group(path, mode="r+").attrs["mine"] = "a note"
    zarr.consolidate_metadata(path)
    list(migrate(store, [VIDEO]))
    assert hierarchy(store).attrs.asdict() == {"mine": "a note", **root_attributes()}
    assert hierarchy(store)["scene/depth"].metadata.dimension_names == ("frame", "row", "column")
