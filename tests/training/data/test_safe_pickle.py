"""Pickles from outside give arrays and plain containers, or one typed error; nothing of them is run."""

import contextlib
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.data.safe_pickle import read_arrays
from training.errors import BrokenBenchmark, UnsafePickle


class _Harmful:
    def __init__(self, witness: Path) -> None:
        self.witness = witness

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.witness),)


def test_a_pickle_that_would_run_code_is_refused_and_runs_nothing(tmp_path: Path):
    path, witness = tmp_path / "room.pkl", tmp_path / "ran"
    path.write_bytes(pickle.dumps({"cam_pose": _Harmful(witness)}))
    with pytest.raises(UnsafePickle, match=r"posix\.mkdir"):
        read_arrays(path)
    assert not witness.exists()


@pytest.mark.parametrize("opcode", [b"r\xff\xff\xff\x7f", b"p4294967295\n"])
def test_a_pickle_that_would_fill_the_memory_is_refused(tmp_path: Path, opcode: bytes):
    path = tmp_path / "room.pkl"
    path.write_bytes(b"\x80\x02}" + opcode + b".")
    with pytest.raises(UnsafePickle, match="only uses up memory"):
        read_arrays(path)


@settings(max_examples=60)
@given(st.binary(max_size=200))
def test_no_bytes_get_past_the_reader_of_pickles(tmp_path_factory: pytest.TempPathFactory, content: bytes):
    path = tmp_path_factory.getbasetemp() / "fuzzed.pkl"
    whole = pickle.dumps({"a": np.arange(5), "b": "text"})
    for attempt in (content, whole[: len(content)] + content):
        path.write_bytes(attempt)
        found: object = {}
        with contextlib.suppress(BrokenBenchmark):
            found = read_arrays(path)
        assert isinstance(found, dict), "either a mapping or one typed error"
