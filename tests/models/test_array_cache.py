import multiprocessing
import os
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.array_cache import ArrayCache, CachedArrays, content_key, tensors_key

ARRAYS = {
    "half": np.linspace(-1, 1, 60, dtype=np.float16).reshape(3, 4, 5),
    "labels": np.arange(7, dtype=np.uint16),
    "none": np.zeros((0, 3), np.float32),
    "scalar": np.array(2.5),
    "mask": np.array([True, False]),
}


def same(found: CachedArrays | None, wanted: CachedArrays) -> bool:
    return (
        found is not None
        and set(found) == set(wanted)
        and all(
            found[name].dtype == value.dtype and np.array_equal(found[name], value) for name, value in wanted.items()
        )
    )


def entry(seed: int) -> CachedArrays:
    """About 40 kB that follow from a seed, so that any process knows what lies under its key."""
    return {"values": np.random.default_rng(seed).random((50, 100)), "seed": np.array(seed)}


def test_arrays_come_back_as_they_were(tmp_path: Path):
    cache = ArrayCache(tmp_path / "not" / "there" / "yet")
    assert cache.load("key") is None
    cache.store("key", ARRAYS)
    assert same(cache.load("key"), ARRAYS)
    assert cache.load("another") is None


def test_what_is_stored_again_replaces_what_was_there(tmp_path: Path):
    cache = ArrayCache(tmp_path)
    cache.store("key", entry(1))
    cache.store("key", entry(2))
    assert same(cache.load("key"), entry(2))


def test_the_folder_may_be_deleted_at_any_time(tmp_path: Path):
    cache = ArrayCache(tmp_path / "cache")
    cache.store("key", ARRAYS)
    (tmp_path / "cache" / "key.npz").unlink()
    (tmp_path / "cache").rmdir()
    assert cache.load("key") is None
    cache.store("key", ARRAYS)
    assert same(cache.load("key"), ARRAYS)


@pytest.mark.parametrize("way", ["cut", "changed"])
def test_a_file_damaged_anywhere_is_as_good_as_none(tmp_path: Path, way: str):
    cache, chance = ArrayCache(tmp_path), random.Random(0)
    cache.store("key", ARRAYS)
    path = tmp_path / "key.npz"
    whole = path.read_bytes()
    missed = 0
    for _ in range(200):
        place = chance.randrange(len(whole))
        changed = whole[:place] + bytes([whole[place] ^ chance.randrange(1, 256)]) + whole[place + 1 :]
        path.write_bytes(whole[:place] if way == "cut" else changed)
        found = cache.load("key")
        missed += found is None
        # arrays are under checksums, but a byte of a time stamp changes nothing, one of the directory loses an entry
        assert found is None or (way == "changed" and same(found, {name: ARRAYS[name] for name in found}))
    assert missed > 100


def test_objects_are_neither_stored_nor_read(tmp_path: Path):
    cache = ArrayCache(tmp_path)
    with pytest.raises(ValueError, match="allow_pickle"):
        cache.store("key", {"names": np.array(["a", None], dtype=object)})
    assert list(tmp_path.iterdir()) == []
    np.savez(tmp_path / "key.npz", names=np.array(["a", None], dtype=object))
    assert cache.load("key") is None


def test_what_was_not_used_for_longest_goes_first(tmp_path: Path):
    cache = ArrayCache(tmp_path)
    for seed in range(4):
        cache.store(str(seed), entry(seed))
        os.utime(tmp_path / f"{seed}.npz", (1000 + seed, 1000 + seed))
    size = (tmp_path / "0.npz").stat().st_size
    assert same(cache.load("0"), entry(0)), "reading counts as use"
    ArrayCache(tmp_path, max_bytes=3 * size).store("4", entry(4))
    assert {path.stem for path in tmp_path.iterdir()} == {"0", "3", "4"}


def test_what_is_larger_than_the_limit_is_not_kept(tmp_path: Path):
    cache = ArrayCache(tmp_path, max_bytes=1000)
    cache.store("key", entry(0))
    assert cache.load("key") is None
    assert list(tmp_path.iterdir()) == []


def _use(folder: Path, seed: int, max_bytes: float, rounds: int) -> None:
    cache, chance = ArrayCache(folder, max_bytes), random.Random(seed)
    for _ in range(rounds):
        key = chance.randrange(6)
        found = cache.load(str(key))
        assert found is None or same(found, entry(key))
        if found is None or chance.random() < 0.3:
            cache.store(str(key), entry(key))


@pytest.mark.parametrize("kept", [3, 100])
def test_processes_that_share_a_folder_never_see_half_an_entry(tmp_path: Path, kept: int):
    fork = multiprocessing.get_context("fork")
    users = [fork.Process(target=_use, args=(tmp_path, seed, kept * 41_000, 60)) for seed in range(3)]
    for user in users:
        user.start()
    for user in users:
        user.join()
    assert [user.exitcode for user in users] == [0, 0, 0]
    assert all(path.suffix == ".npz" for path in tmp_path.iterdir())


def test_processes_killed_at_any_moment_leave_whole_entries(tmp_path: Path):
    fork = multiprocessing.get_context("fork")
    for seed in range(12):
        before = len(list(tmp_path.iterdir()))
        user = fork.Process(target=_use, args=(tmp_path, seed, 1e9, 100_000))
        user.start()
        while user.is_alive() and len(list(tmp_path.iterdir())) == before < 6:
            pass
        user.kill()
        user.join()
    cache = ArrayCache(tmp_path)
    entries = [path for path in tmp_path.iterdir() if path.suffix == ".npz"]
    assert entries
    assert all(same(cache.load(path.stem), entry(int(path.stem))) for path in entries)


def test_drafts_that_killed_processes_left_go_when_space_is_needed(tmp_path: Path):
    (tmp_path / "0.npz.1a2b3c4d.part").write_bytes(bytes(100_000))
    os.utime(tmp_path / "0.npz.1a2b3c4d.part", (1000, 1000))
    ArrayCache(tmp_path, max_bytes=100_000).store("0", entry(0))
    assert [path.name for path in tmp_path.iterdir()] == ["0.npz"]


@given(st.lists(st.text(max_size=4), max_size=4), st.lists(st.text(max_size=4), max_size=4))
def test_keys_agree_only_where_all_parts_do(parts: list[str], others: list[str]):
    assert (content_key(*parts) == content_key(*others)) == (parts == others)
    assert content_key(*parts) == content_key(*(part.encode() for part in parts))
    assert len(bytes.fromhex(content_key(*parts))) == 32


def test_the_key_of_tensors_follows_values_shape_and_order_but_not_where_they_lie():
    one, two = torch.arange(6.0).reshape(2, 3), torch.ones(4)
    key = tensors_key([one, two])
    assert key == tensors_key([one.T.contiguous().T, two.half()]), "strides and exact halves"
    assert key == tensors_key([torch.nn.Parameter(one), two])
    others = [[two, one], [one.reshape(3, 2), two], [one + 1e-6, two], [one], [one, two, two]]
    assert len({key, *map(tensors_key, others)}) == 6
