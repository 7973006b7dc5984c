"""The benchmark of readers: all of them read the same frames."""

from pathlib import Path

import numpy as np
import pytest

from tests.training.rooms import RoomFrames
from training.bench.loader import NpzFrames, _arrays, _megabytes, _stored
from training.data import Sample, StoredFrames


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> StoredFrames:
    return _stored(tmp_path_factory.mktemp("bench"), [RoomFrames(2)[index] for index in range(2)])


def same(one: Sample, other: Sample) -> None:
    for name, array in _arrays(one).items():
        assert np.array_equal(array, getattr(other, name)), name


def test_the_store_gives_back_what_was_written_in_the_precision_of_the_stages(stored: StoredFrames):
    for index, true in enumerate(RoomFrames(2)[number] for number in range(2)):
        found = stored[index]
        assert np.array_equal(found.rgb, true.rgb)
        assert np.array_equal(found.labels, true.labels)
        assert np.array_equal(found.depth, true.depth.astype(np.float16).astype(np.float32))
        assert np.allclose(found.camera_to_world, true.camera_to_world, atol=1e-6)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_files_beside_it_hold_the_same_samples(stored: StoredFrames, tmp_path: Path, save: object):
    for index in range(len(stored)):
        save(tmp_path / f"{index:05d}.npz", **_arrays(stored[index]))
    files = NpzFrames(tmp_path)
    assert len(files) == len(stored)
    assert files.names == ("00000", "00001")
    for index in range(len(files)):
        same(stored[index], files[index])


def test_megabytes_are_those_of_all_files_below_a_folder(tmp_path: Path):
    (tmp_path / "below").mkdir()
    (tmp_path / "a").write_bytes(bytes(1_000_000))
    (tmp_path / "below" / "b").write_bytes(bytes(500_000))
    assert _megabytes(tmp_path) == 1.5
