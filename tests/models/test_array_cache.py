import multiprocessing
import os
import random
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.array_cache import FOLDER, ArrayCache, CachedArrays, content_key, tensors_key
from models.own_folder import MARK, own_folder
from tests.foreign import foreign_folder, lost

KEY = content_key("a key")

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


def key_of(seed: int) -> str:
    return content_key("entry", str(seed))


def entries(folder: Path) -> list[Path]:
    """What lies in the cache's subfolder of a folder, beside its mark."""
    own = folder / FOLDER
    return [path for path in own.iterdir() if path.name != MARK] if own.exists() else []


def test_arrays_come_back_as_they_were(tmp_path: Path):
    cache = ArrayCache(tmp_path / "not" / "there" / "yet")
    assert cache.load(KEY) is None
    cache.store(KEY, ARRAYS)
    assert same(cache.load(KEY), ARRAYS)
    assert cache.load(content_key("another")) is None


def test_what_is_stored_again_replaces_what_was_there(tmp_path: Path):
    cache = ArrayCache(tmp_path)
    cache.store(KEY, entry(1))
    cache.store(KEY, entry(2))
    assert same(cache.load(KEY), entry(2))


def test_the_folder_may_be_deleted_at_any_time(tmp_path: Path):
    cache = ArrayCache(tmp_path / "cache")
    cache.store(KEY, ARRAYS)
    shutil.rmtree(tmp_path / "cache")
    assert cache.load(KEY) is None
    cache.store(KEY, ARRAYS)
    assert same(cache.load(KEY), ARRAYS)


@pytest.mark.parametrize("way", ["cut", "changed"])
def test_a_file_damaged_anywhere_is_as_good_as_none(tmp_path: Path, way: str):
    cache, chance = ArrayCache(tmp_path), random.Random(0)
    cache.store(KEY, ARRAYS)
    path = tmp_path / FOLDER / f"{KEY}.npz"
    whole = path.read_bytes()
    missed = 0
    for _ in range(200):
        place = chance.randrange(len(whole))
        changed = whole[:place] + bytes([whole[place] ^ chance.randrange(1, 256)]) + whole[place + 1 :]
        path.write_bytes(whole[:place] if way == "cut" else changed)
        found = cache.load(KEY)
        missed += found is None
        # arrays are under checksums, but a byte of a time stamp changes nothing, one of the directory loses an entry
        assert found is None or (way == "changed" and same(found, {name: ARRAYS[name] for name in found}))
    assert missed > 100


def test_objects_are_neither_stored_nor_read(tmp_path: Path):
    cache = ArrayCache(tmp_path)
    with pytest.raises(ValueError, match="allow_pickle"):
        cache.store(KEY, {"names": np.array(["a", None], dtype=object)})
    assert entries(tmp_path) == []
    np.savez(tmp_path / FOLDER / f"{KEY}.npz", names=np.array(["a", None], dtype=object))
    assert cache.load(KEY) is None


def test_what_was_not_used_for_longest_goes_first(tmp_path: Path):
    cache = ArrayCache(tmp_path)
    for seed in range(4):
        cache.store(key_of(seed), entry(seed))
        os.utime(tmp_path / FOLDER / f"{key_of(seed)}.npz", (1000 + seed, 1000 + seed))
    size = (tmp_path / FOLDER / f"{key_of(0)}.npz").stat().st_size
    assert same(cache.load(key_of(0)), entry(0)), "reading counts as use"
    ArrayCache(tmp_path, max_bytes=3 * size).store(key_of(4), entry(4))
    assert {path.stem for path in entries(tmp_path)} == {key_of(0), key_of(3), key_of(4)}


def test_what_is_larger_than_the_limit_is_not_kept(tmp_path: Path):
    cache = ArrayCache(tmp_path, max_bytes=1000)
    cache.store(KEY, entry(0))
    assert cache.load(KEY) is None
    assert entries(tmp_path) == []


@pytest.mark.parametrize("max_bytes", [0, 50_000])
def test_a_cache_in_a_folder_of_foreign_files_leaves_every_one_and_works(tmp_path: Path, max_bytes: int):
    before = foreign_folder(tmp_path, f"{FOLDER}/", f"{FOLDER}-2/", f"{KEY}.npz")
    cache = ArrayCache(tmp_path, max_bytes)
    for seed in range(4):
        assert cache.load(key_of(seed)) is None
        cache.store(key_of(seed), entry(seed))
    assert lost(before, tmp_path) == []
    assert same(cache.load(key_of(3)), entry(3)) == (max_bytes > 0)
    assert cache.load(KEY) is None, "a document is no entry"


def test_foreign_files_within_its_own_folder_stay_too(tmp_path: Path):
    cache = ArrayCache(tmp_path, max_bytes=50_000)
    cache.store(key_of(0), entry(0))
    inside, outside = foreign_folder(tmp_path / FOLDER / "letters"), foreign_folder(tmp_path / "elsewhere")
    (tmp_path / FOLDER / "notes.npz").write_text("a document")
    (tmp_path / FOLDER / f"{'3' * 64}.npz").symlink_to(tmp_path / "elsewhere" / "report.odt")
    cache.store(key_of(1), entry(1))
    assert [path.stem for path in entries(tmp_path) if not path.is_symlink() and len(path.stem) == 64] == [key_of(1)]
    assert (tmp_path / FOLDER / "notes.npz").read_text() == "a document"
    assert lost(inside, tmp_path / FOLDER / "letters") == lost(outside, tmp_path / "elsewhere") == []


def test_entries_of_an_earlier_release_are_read_told_of_once_and_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    for seed in range(3):
        np.savez(tmp_path / f"{key_of(seed)}.npz", **entry(seed))
    cache = ArrayCache(tmp_path, max_bytes=50_000)
    assert all(same(cache.load(key_of(seed)), entry(seed)) for seed in range(3))
    for seed in (3, 4):
        cache.store(key_of(seed), entry(seed))
    assert capsys.readouterr().err.count("3 entries of an earlier release") == 1
    assert all(same(cache.load(key_of(seed)), entry(seed)) for seed in (0, 1, 2, 4))


@pytest.mark.parametrize("key", ["", "key", "../" * 20 + "0000", f"{KEY}.npz", KEY.upper()])
def test_what_is_no_key_names_no_file(tmp_path: Path, key: str):
    cache = ArrayCache(tmp_path / "cache")
    with pytest.raises(ValueError, match="no key"):
        cache.store(key, ARRAYS)
    with pytest.raises(ValueError, match="no key"):
        cache.load(key)


def _use(folder: Path, seed: int, max_bytes: float, rounds: int) -> None:
    cache, chance = ArrayCache(folder, max_bytes), random.Random(seed)
    for _ in range(rounds):
        number = chance.randrange(6)
        found = cache.load(key_of(number))
        assert found is None or same(found, entry(number))
        if found is None or chance.random() < 0.3:
            cache.store(key_of(number), entry(number))


@pytest.mark.parametrize("kept", [3, 100])
def test_processes_that_share_a_folder_never_see_half_an_entry(tmp_path: Path, kept: int):
    fork = multiprocessing.get_context("fork")
    users = [fork.Process(target=_use, args=(tmp_path, seed, kept * 41_000, 60)) for seed in range(3)]
    for user in users:
        user.start()
    for user in users:
        user.join()
    assert [user.exitcode for user in users] == [0, 0, 0]
    assert all(path.suffix == ".npz" for path in entries(tmp_path))


def test_processes_killed_at_any_moment_leave_whole_entries(tmp_path: Path):
    fork = multiprocessing.get_context("fork")
    cache = ArrayCache(tmp_path)
    cache.store(key_of(0), entry(0))
    for seed in range(12):
        before = entries(tmp_path)
        user = fork.Process(target=_use, args=(tmp_path, seed, 1e9, 100_000))
        user.start()
        while entries(tmp_path) == before:  # a draft that comes, or an entry that it becomes
            assert user.is_alive()
        user.kill()
        user.join()
    numbers = {key_of(number): number for number in range(6)}
    whole = [path for path in entries(tmp_path) if path.suffix == ".npz"]
    assert cache.load(key_of(0)) is not None
    assert all(same(cache.load(path.stem), entry(numbers[path.stem])) for path in whole)


def test_drafts_that_killed_processes_left_go_when_space_is_needed(tmp_path: Path):
    own = own_folder(tmp_path, FOLDER)
    (own / f"{KEY}.npz.1a2b3c4d.part").write_bytes(bytes(100_000))
    os.utime(own / f"{KEY}.npz.1a2b3c4d.part", (1000, 1000))
    ArrayCache(tmp_path, max_bytes=100_000).store(KEY, entry(0))
    assert [path.name for path in entries(tmp_path)] == [f"{KEY}.npz"]


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
