"""What a training begins with is known by its content."""

import json
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from tests.training.rooms import RoomFrames
from tests.training.tiny_runs import quick
from training.checkpoints import WEIGHTS
from training.errors import WrongCheckpoint
from training.runs import finetune
from training.settings import FinetuneSettings
from training.weight_files import FILES, same_identity, same_run, with_files


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YOUTUBE_OCC_WEIGHTS", str(tmp_path / "cache"))


def test_files_are_noted_by_content_and_names_are_not(tmp_path: Path):
    (tmp_path / "a.pth").write_bytes(b"first")
    assert with_files({"steps": 1}, start="san_small", image_weights=None) == {"steps": 1}
    first = with_files({"steps": 1}, image_weights=tmp_path / "a.pth")
    assert set(first[FILES]["image_weights"]) == {"a.pth"}
    (tmp_path / "a.pth").write_bytes(b"other")
    assert not same_run(first, with_files({"steps": 1}, image_weights=tmp_path / "a.pth"))


@pytest.mark.parametrize(
    ("noted", "wanted", "same"),
    [
        ([{"steps": 1}, "x"], [{"steps": 1, FILES: {"start": {"a": "1"}}}, "x"], True),
        ([{"steps": 1, FILES: {"start": {"a": "1"}}}, "x"], [{"steps": 1}, "x"], True),
        ([{"steps": 1, FILES: {"start": {"a": "1"}}}, "x"], [{"steps": 1, FILES: {"start": {"a": "2"}}}, "x"], False),
        ([{"steps": 2}, "x"], [{"steps": 1, FILES: {}}, "x"], False),
        ([{"steps": 1}, "y"], [{"steps": 1, FILES: {}}, "x"], False),
    ],
    ids=["noted by an earlier release", "away now", "other files", "other settings", "other data"],
)
def test_a_state_is_of_the_run_whose_files_it_knows(noted: object, wanted: object, *, same: bool):
    assert same_identity(json.dumps(noted), json.dumps(wanted)) is same
    assert not same_identity(None, json.dumps(wanted))
    assert not same_identity("no JSON", json.dumps(wanted))


def test_a_network_begun_with_another_content_of_the_same_folder_is_another_run(tmp_path: Path):
    frames, start, made = RoomFrames(1), tmp_path / "start", tmp_path / "made"
    settings = FinetuneSettings(loop=quick(epochs=1, batch_size=1))
    finetune(frames, "small", None, settings, start)
    first = finetune(frames, "small", start, settings, made)
    assert finetune(frames, "small", start, settings, made) == first
    tensors = load_file(start / WEIGHTS)
    save_file({name: 2 * value for name, value in tensors.items()}, start / WEIGHTS)
    with pytest.raises(WrongCheckpoint, match="other data or settings"):
        finetune(frames, "small", start, settings, made)
