"""``python -m training``: what a user types, and the one line that says what went wrong."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.training.rooms import RoomFrames, stored_frames
from tests.training.test_learning import quick
from training.data import MonoSceneRooms
from training.data.export import export_monoscene
from training.runs import finetune
from training.settings import FinetuneSettings

ROOT = Path(__file__).parents[2]


def run(*words: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "ignore", "-m", "training", *words]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_an_evaluation_prints_the_network_and_both_baselines(tmp_path: Path):
    list(export_monoscene(RoomFrames(1), tmp_path, "test"))
    settings = FinetuneSettings(loop=quick(epochs=1, batch_size=1))
    finetune(RoomFrames(1), "small", None, settings, tmp_path / "network")
    words = ("evaluate", str(tmp_path / "network"), "--kind", "monoscene", "--path", str(tmp_path))
    ended = run(*words, "--picture", str(tmp_path / "seen.jpg"))
    assert ended.returncode == 0, ended.stderr
    for predictor in ("network", "all in view occupied", "surface from depth"):
        assert f"| {predictor} | in view |" in ended.stdout
    assert (tmp_path / "seen.jpg").read_bytes().startswith(b"\xff\xd8")


def test_an_export_of_one_video_says_which_split_is_empty(tmp_path: Path):
    frames = stored_frames(tmp_path / "data")
    ended = run("export", "--path", str(tmp_path / "data"), "--out", str(tmp_path / "out"), "--format", "monoscene")
    assert ended.returncode == 1
    assert "UnusableDataset: the split 'validation'" in ended.stderr
    assert len(MonoSceneRooms(tmp_path / "out", tmp_path / "out" / "depthbin", "train")) == len(frames)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("finetune", "--kind", "kitti", "--out", "x"), "SettingsError: kind"),
        (("finetune", "--kind", "nyu", "--out", "x"), "UnusableDataset: say where the benchmark nyu lies"),
        (("finetune", "--out", "x", "--set", "loop.epochs=0"), "SettingsError: loop.epochs"),
        (("evaluate", "/nowhere", "--kind", "nyu", "--path", "/nowhere"), "BrokenBenchmark: /nowhere/NYUtest"),
    ],
)
def test_a_mistake_ends_in_one_line(words: tuple[str, ...], complaint: str):
    ended = run(*words)
    assert ended.returncode == 1
    assert ended.stderr.strip().splitlines()[-1].startswith(complaint)
    assert "Traceback" not in ended.stderr
