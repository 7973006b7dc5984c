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


_KINDS = st.sampled_from(["<f8", ">f4", "<f2", "|u1", "<i8", ">u2", "|b1", "<c16", "<U3", "|S4"])


@settings(max_examples=80)
@given(st.data(), _KINDS, st.lists(st.integers(0, 4), max_size=3), st.integers(0, 5), st.sampled_from("CF"))
def test_arrays_come_back_as_numpy_pickled_them(
    tmp_path_factory: pytest.TempPathFactory,
    data: st.DataObject,
    kind: str,
    shape: list[int],
    protocol: int,
    order: str,
):
    count = int(np.prod(shape, dtype=int)) * np.dtype(kind).itemsize
    raw = bytes(1) * count if kind[1] in "bU" else data.draw(st.binary(min_size=count, max_size=count))
    array = np.asarray(np.frombuffer(raw, kind).reshape(shape), order=order)  # type: ignore[call-overload]
    path = tmp_path_factory.getbasetemp() / "array.pkl"
    path.write_bytes(pickle.dumps({"a": array, "again": array, "b": (1, [array], "text")}, protocol=protocol))
    found = read_arrays(path)
    assert found["a"].dtype == array.dtype
    assert found["a"].shape == array.shape
    assert found["a"].tobytes() == found["b"][1][0].tobytes() == array.tobytes()
    assert found["a"] is found["again"]


def test_numbers_of_numpy_come_back_as_numbers(tmp_path: Path):
    path = tmp_path / "numbers.pkl"
    path.write_bytes(pickle.dumps({"a": np.float32(1.5), "b": np.int64(-3), "c": np.bool_(True), "d": None}))
    assert read_arrays(path) == {"a": 1.5, "b": -3, "c": True, "d": None}


class _Pickled:
    """Pickles as the call that it holds."""

    def __init__(self, *reduced: object) -> None:
        self.reduced = reduced

    def __reduce__(self) -> tuple:
        return self.reduced


BARE = np.zeros(3, np.uint8).__reduce__()


@pytest.mark.parametrize(
    "state",
    [
        (1, (3,), np.dtype("u1"), False, b"12"),
        (1, (2**62,), np.dtype("u1"), False, b"123"),
        (1, (-1, -3), np.dtype("u1"), False, b"123"),
        (1, (3,), None, False, b"123"),
        (1, (3,), np.dtype("u1"), False, 3),
        (1, (3,), np.dtype([("a", "u1")]), False, b"123"),
        (1, (3,), np.dtype("M8[s]"), False, b"123"),
        (),
        None,
        7,
    ],
)
def test_a_state_that_is_no_array_s_is_one_typed_error(tmp_path: Path, state: object):
    path = tmp_path / "room.pkl"
    path.write_bytes(pickle.dumps({"a": _Pickled(BARE[0], BARE[1], state)}))
    if state is None:
        assert read_arrays(path)["a"].size == 0
        return
    with pytest.raises(BrokenBenchmark):
        read_arrays(path)


def test_arrays_of_objects_and_states_for_what_has_none_are_refused(tmp_path: Path):
    path = tmp_path / "room.pkl"
    path.write_bytes(pickle.dumps({"a": np.array([{}, []], dtype=object)}))
    with pytest.raises(UnsafePickle, match="array of objects"):
        read_arrays(path)
    path.write_bytes(b"\x80\x02}cnumpy\ndtype\n}X\x01\x00\x00\x00aK\x01sbX\x01\x00\x00\x00bs.")
    with pytest.raises(BrokenBenchmark, match="a state to something that has none"):
        read_arrays(path)


def test_a_container_that_holds_itself_or_much_of_the_same_ends(tmp_path: Path):
    path, held = tmp_path / "room.pkl", []
    held.append(held)
    path.write_bytes(pickle.dumps({"a": held}))
    with pytest.raises(BrokenBenchmark, match="holds itself"):
        read_arrays(path)
    deep: list[object] = [1]
    for _ in range(60):
        deep = [deep, deep]
    path.write_bytes(pickle.dumps({"a": deep}))
    found = read_arrays(path)["a"]
    assert found[0] is found[1]
