"""A dataset that cannot be written to (a read-only mount, a colleague's folder) is verified, asked and trained on."""

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.earlier import unpack_earlier_dataset
from tests.paths import ROOT

PR_CAPBSET_DROP = 24
WRITES_ANYWHERE = (1, 2)
"""CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH, by which root writes whatever the mode of a file."""

TRAIN = ("train", "finetune", "--kind", "stored", "--preset", "tiny", "--out", "net")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = unpack_earlier_dataset(tmp_path_factory.mktemp("read_only"))
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    return folder


def obey_modes() -> None:
    for capability in WRITES_ANYWHERE:
        ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


def ended(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        preexec_fn=obey_modes,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )


def test_the_folder_is_read_only_indeed(data: Path, tmp_path: Path):
    assert "PermissionError" in ended(["-c", f"open({str(data / 'new')!r}, 'w')"], tmp_path).stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["verify", "--data"], "1 videos read, 0 problems"),
        (["query", "chair", "--data"], "contact sheet"),
        (["process", "tour://5", "--data"], "done: "),
        ([*TRAIN, "--set", "loop.steps=1", "--path"], "net: 1 steps on dataset"),
    ],
    ids=lambda given: given[0] if isinstance(given, list) else "",
)
def test_a_read_only_dataset_is_worked_with(data: Path, tmp_path: Path, arguments: list[str], said: str):
    found = ended(["-m", "pipeline", *arguments, str(data)], tmp_path)
    assert found.returncode == 0, found.stdout + found.stderr
    assert said in found.stdout + found.stderr
