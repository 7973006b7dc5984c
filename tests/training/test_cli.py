"""``youtube-occ train``: what a user types, and the one line that says what went wrong."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from pipeline.language.text import SanText
from pipeline.stages.semantics.settings import SanSettings
from tests.pipeline.stages.semantics.tiny_san import write_checkpoint
from tests.training.rooms import RoomFrames, stored_frames
from tests.training.spoken_room import embed_again, spoken_frames
from tests.training.tiny_runs import quick
from training.cli import main
from training.data import MonoSceneRooms
from training.data.export import export_monoscene
from training.runs import finetune
from training.settings import FinetuneSettings

Command = Callable[..., int]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run a command as ``youtube-occ train`` does; returns its exit code."""

    def command(*words: str) -> int:
        monkeypatch.setattr(sys, "argv", ["training", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0)

    return command


def test_an_evaluation_prints_the_network_and_both_baselines(
    run: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    list(export_monoscene(RoomFrames(1), tmp_path, "test"))
    settings = FinetuneSettings(loop=quick(epochs=1, batch_size=1))
    finetune(RoomFrames(1), "small", None, settings, tmp_path / "network")
    words = ("evaluate", str(tmp_path / "network"), "--kind", "monoscene", "--path", str(tmp_path))
    assert run(*words, "--picture", str(tmp_path / "seen.jpg")) == 0
    printed = capsys.readouterr().out
    for predictor in ("network", "all in view occupied", "surface from depth"):
        assert f"| {predictor} | in view |" in printed
    assert (tmp_path / "seen.jpg").read_bytes().startswith(b"\xff\xd8")


def test_an_export_of_one_video_says_which_split_is_empty(
    run: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    frames = stored_frames(tmp_path / "data")
    words = ("export", "--path", str(tmp_path / "data"), "--out", str(tmp_path / "out"), "--format", "monoscene")
    assert run(*words) == 1
    assert "UnusableDataset: the split 'validation'" in capsys.readouterr().err
    assert len(MonoSceneRooms(tmp_path / "out", tmp_path / "out" / "depthbin", "train")) == len(frames)


def test_an_export_says_how_many_frames_it_wrote_and_refuses_options_of_other_formats(
    run: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    frames = stored_frames(tmp_path / "data")
    words = ("export", "--path", str(tmp_path / "data"), "--out", str(tmp_path / "out"), "--format")
    assert run(*words, "ply", "--filter", "row<2") == 0
    assert f"2 frames in {tmp_path / 'out'}" in capsys.readouterr().out
    assert len(frames) > 2
    assert run(*words, "ply", "--filter", "rows<2") == 1
    assert "the index has no column 'rows'" in capsys.readouterr().err
    out = tmp_path / "rooms"
    rooms = (*words[:3], "--out", str(out), "--format", "monoscene", "--split", "train", "--filter", "row<2")
    assert run(*rooms) == 0
    assert f"2 frames in {out}" in capsys.readouterr().out
    assert len(MonoSceneRooms(out, out / "depthbin", "train")) == 2
    assert not (out / "base" / "NYUtest").exists(), "one side was asked for"
    assert run(*words, "hf", "--read", "every=2") == 1
    assert "take --split and --filter" in capsys.readouterr().err


def test_a_dataset_teaches_words_and_name_seeded_ones_are_said_to_mean_nothing(
    run: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("YOUTUBE_OCC_WEIGHTS", str(tmp_path))
    tiny = write_checkpoint(tmp_path / "tiny.pth")
    video = spoken_frames(tmp_path / "data").frames.store.video("room")
    weights = dict(SanText(SanSettings(weights=str(tiny))).weights)
    embed_again(video, video.read("semantics", "region_embeddings"), weights)
    short = ("--set", "loop.epochs=1", "--set", "loop.workers=0", "--set", "loop.accelerator=cpu")
    data = ("--path", str(tmp_path / "data"), "--read", "every=6", "--preset", "small", *short)
    for task in ("language", "finetune"):
        assert run(task, *data, "--out", str(tmp_path / task)) == 0
    list(export_monoscene(RoomFrames(1), tmp_path / "nyu", "test"))
    scored = ("zero_shot", str(tmp_path / "language"), "--kind", "monoscene", "--path", str(tmp_path / "nyu"))
    san = ("--weights", str(tiny))
    asked = ("--closed-set", str(tmp_path / "finetune"), "--query", "a red sofa", "--picture", str(tmp_path / "a.jpg"))
    assert run(*scored, *san, *asked) == 0
    printed = capsys.readouterr().out
    for predictor in ("language", "closed set (finetune)", "2D features projected", "surface from depth"):
        assert f"| {predictor} | in view |" in printed
    assert "the answers mean nothing" in printed
    assert (tmp_path / "a.jpg").read_bytes().startswith(b"\xff\xd8")
    for wrong, complaint in (("", "UnusableQuery: '' holds no word"), ("диван", "UnusableQuery: 'диван'")):
        assert run(*scored, *san, "--query", wrong) == 1
        assert capsys.readouterr().err.startswith(complaint)
    (tmp_path / "twice.yaml").write_text(yaml.safe_dump({"classes": {"bed": ["bed", "Bed"]}}))
    assert run(*scored, *san, "--vocabulary", str(tmp_path / "twice.yaml")) == 1
    assert capsys.readouterr().err.startswith("SettingsError: twice.yaml")


def test_words_are_not_learned_from_a_dataset_without_embeddings(
    run: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    stored_frames(tmp_path)
    assert run("language", "--path", str(tmp_path), "--out", str(tmp_path / "x")) == 1
    assert capsys.readouterr().err.startswith("NoEmbeddings: room has no region embeddings: run its stage 'semantics'")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("finetune", "--kind", "kitti", "--out", "x"), "SettingsError: kind"),
        (("finetune", "--kind", "occscannet", "--read", "by=scan", "--out", "x"), "SettingsError: by"),
        (("finetune", "--read", "version=0", "--path", "/nowhere", "--out", "x"), "UnusableDataset: "),
        (("finetune", "--kind", "nyu", "--out", "x"), "UnusableDataset: say where the benchmark nyu lies"),
        (("finetune", "--out", "x", "--set", "loop.epochs=0"), "SettingsError: loop.epochs"),
        (("study", "--set", "views=1"), "SettingsError: views"),
        (("study", "--set", "arms=[{name: large, loss: cosine}]"), "SettingsError: arms.0.loss"),
        (("study", "--data", "/nowhere", "--out", "x"), "UnusableDataset: /nowhere/dataset holds no dataset"),
        (("evaluate", "/nowhere", "--kind", "nyu", "--path", "/nowhere"), "BrokenBenchmark: /nowhere/NYUtest"),
    ],
)
def test_a_mistake_ends_in_one_line(
    run: Command, words: tuple[str, ...], complaint: str, capsys: pytest.CaptureFixture[str]
):
    assert run(*words) == 1
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(complaint)
