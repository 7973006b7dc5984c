"""Every parser is given what strangers and damage might bring; what once gave no answer is tried again each time."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.contract.errors import BrokenListing
from tests.fuzz.everything import READERS
from tests.fuzz.mutate import mutated
from tests.fuzz.reader import Reader
from tests.fuzz.worker import Tally, run
from tests.paths import ROOT

KEPT = Path(__file__).with_name("kept.json")
INPUTS = 10_000


def violations(name: str, reader: Reader, seeds: list[int]) -> list[tuple[int, str]]:
    tally = run(reader, seeds, lambda _tally: None)
    assert tally.inputs == len(seeds), name
    return tally.violations


@pytest.mark.parametrize("name", READERS)
def test_inputs_that_once_gave_no_answer_and_some_others_give_one(name: str):
    kept = [entry["seed"] for entry in json.loads(KEPT.read_text()).get(name, [])]
    weights = sum(reader.weight for reader in READERS.values())
    some = range(10_000_000, 10_000_000 + max(10, round(INPUTS * READERS[name].weight / weights)))
    assert violations(name, READERS[name], [*kept, *some]) == []


def test_one_integer_says_which_input_it_is(tmp_path: Path):
    """Also in another process, which makes its own true inputs."""
    asked = [(name, seed) for name in ("feeds", "catalog", "zarr", "state_dicts") for seed in range(3)]
    here = []
    for name, seed in asked:
        folder = tmp_path / f"{name}{seed}"
        folder.mkdir()
        here.append(mutated(name, seed, READERS[name].true_inputs(folder)))
    other = subprocess.run([sys.executable, "-c", _AGAIN, str(tmp_path)], cwd=ROOT, capture_output=True, check=True)
    assert json.loads(other.stdout) == [[file, content.hex()] for file, content in here]
    assert len({content for _, content in here}) == len(asked)


_AGAIN = """
import json, sys
from pathlib import Path
from tests.fuzz.everything import READERS
from tests.fuzz.mutate import mutated
made = []
for name in ("feeds", "catalog", "zarr", "state_dicts"):
    for seed in range(3):
        folder = Path(sys.argv[1]) / f"again{name}{seed}"
        folder.mkdir()
        file, content = mutated(name, seed, READERS[name].true_inputs(folder))
        made.append([file, content.hex()])
print(json.dumps(made))
"""


def _make(folder: Path) -> None:
    (folder / "a.txt").write_text("true")
    (folder / "b.dat").write_bytes(b"1")


def _of(read: object) -> Tally:
    return run(Reader("t", _make, read, suffixes=(".txt",)), range(4), lambda _tally: None)  # type: ignore[arg-type]


def _is_true(folder: Path) -> bool:
    return (folder / "a.txt").read_text() == "true"


def test_a_typed_error_is_an_answer_and_another_is_a_violation():
    def read(folder: Path, name: str) -> None:
        if (folder / name).read_bytes() != b"true":
            raise BrokenListing("no") if len((folder / name).read_bytes()) % 2 else KeyError("no")

    found = _of(read)
    assert found.outcomes.total() == 4
    assert found.outcomes["BrokenListing"] + found.outcomes["accepted"] + len(found.violations) == 4
    assert all(why.startswith("KeyError") for _, why in found.violations)


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (lambda folder: (folder.parent / "outside" / "kept.txt").write_text("mine"), "Trespass: open"),
        (lambda folder: (folder / "b.dat").unlink(), "files changed"),
        (lambda _folder: os.system("true"), "Trespass: os.system"),  # noqa: S605
        (
            lambda folder: sqlite3.connect(folder.parent / "outside" / "a.sqlite").execute("create table t (a)"),
            "files changed",
        ),
        (lambda _folder: bytearray(3 << 30), "MemoryError"),
        (lambda _folder: os.kill(os.getpid(), signal.SIGSEGV), "the process died of signal 11"),
    ],
)
def test_what_a_parser_must_not_do_is_a_violation_of_its_seed_alone(act: object, said: str):
    def read(folder: Path, name: str) -> None:
        content = (folder / name).read_bytes()
        if content != b"true" and content == strange:
            act(folder)  # type: ignore[operator]

    strange = mutated("t", 2, {"a.txt": b"true"})[1]
    found = _of(read)
    assert [(seed, why[: len(said)]) for seed, why in found.violations] == [(2, said)]
    assert found.inputs == 4


def test_a_parser_without_end_is_stopped(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tests.fuzz.bounds.WORK_S", 0.2)
    strange = mutated("t", 1, {"a.txt": b"true"})[1]

    def read(folder: Path, name: str) -> None:
        while (folder / name).read_bytes() == strange:
            pass

    assert [(seed, why[:11]) for seed, why in _of(read).violations] == [(1, "TooMuchWork")]
