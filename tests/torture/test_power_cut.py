"""The journal's changes are taken back to states that a power cut may leave, and to no others."""

import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.paths import ROOT
from tests.torture.power_cut import cut
from tests.torture.preload import build

WRITES = """
import os, shutil, sys
from pathlib import Path
from tests.torture.preload import NOTHING, begin
place = Path(sys.argv[1])
begin(place / "data", NOTHING, place / "journal", place / "shadow")
{code}
"""


DURABLE = """
from pipeline.store.atomic import replacing
with replacing(place / "data" / "a", durable=True) as draft:
    draft.write_text("new")
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("library"))


def after_a_cut(folder: Path, library: Path, code: str, seed: int) -> Path:
    """Run code with the journal in a fresh folder, whose ``a`` holds 'old', and take back what a cut may lose."""
    place = folder / str(seed)
    (place / "data").mkdir(parents=True)
    (place / "shadow").mkdir()
    (place / "data" / "a").write_text("old")
    command = [sys.executable, "-c", WRITES.format(code=code), str(place)]
    subprocess.run(command, cwd=ROOT, env={"LD_PRELOAD": str(library), "PATH": "/usr/bin"}, check=True)
    cut(place / "journal", random.Random(seed))
    return place / "data"


def contents(folder: Path) -> str:
    return " ".join(f"{path.name}={path.read_text()!r}" for path in sorted(folder.rglob("*")) if path.is_file())


@pytest.mark.parametrize(
    ("code", "possible"),
    [
        (
            '(place / "data" / "b").write_text("new"); (place / "data" / "b").replace(place / "data" / "a")',
            {"a='old'", "a='new'", "a=''", "a='\\x00\\x00\\x00'", "a='n'", "a='ne'", "a='old' b=''", "a='old' b='new'",
             "a='old' b='n'", "a='old' b='ne'", "a='old' b='\\x00\\x00\\x00'"},
        ),
        (DURABLE, {"a='new'"}),
        ('(place / "data" / "a").unlink()', {"", "a='old'"}),
        ('(place / "data" / "a").write_text("new!")',
         {"a='old'", "a='new!'", "a=''", "a='\\x00\\x00\\x00\\x00'", "a='n'", "a='ne'", "a='new'", "a='o'", "a='ol'",
          "a='\\x00\\x00\\x00'"}),
        ('d = place / "data" / "d"; d.mkdir(); (d / "c").write_text(""); shutil.rmtree(d)',
         {"a='old'", "a='old' c=''"}),
    ],
)  # fmt: skip
def test_a_cut_leaves_what_was_synced_and_any_part_of_the_rest(
    tmp_path: Path, library: Path, code: str, possible: set[str]
):
    found = Counter(contents(after_a_cut(tmp_path, library, code, seed)) for seed in range(8))
    assert set(found) <= possible
    assert len(found) > 1 or len(possible) == 1, "eight draws show more than one outcome"


def test_two_folders_that_were_swapped_are_swapped_back(tmp_path: Path, library: Path):
    code = """
from pipeline.store.publish import _exchange
for name in "xy":
    (place / "data" / name).mkdir()
    (place / "data" / name / "who").write_text(name)
    for path in (place / "data" / name / "who", place / "data" / name, place / "data"):
        handle = os.open(path, os.O_RDONLY)
        os.fsync(handle)
assert _exchange(place / "data" / "x", place / "data" / "y")
"""
    found = {contents(after_a_cut(tmp_path, library, code, seed)) for seed in range(8)}
    assert found == {"a='old' who='x' who='y'", "a='old' who='y' who='x'"}
