"""What cannot end well is refused before anything is made, and what to set instead is what the command takes."""

import re
import shlex
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from pydantic import BaseModel
from typer.testing import CliRunner

import training.loop
from models.errors import ModelError, NoSuchDevice, WeightsUnavailable
from pipeline.contract.errors import PipelineError, SettingsError
from pipeline.contract.values import parsed, with_values
from training.cli import app
from training.errors import UnusableDataset, WrongCheckpoint
from training.paper_preset import check_encoder
from training.settings import DistillSettings, FinetuneSettings, LanguageSettings
from training.studies.experiment_settings import Experiment
from training.studies.pillars import PillarStudy

TEACHER = ("--weights", "package", "--set", "teacher=efficientnet")
COMMANDS: Mapping[str, tuple[type[BaseModel], tuple[str, ...]]] = {
    "pretrain": (DistillSettings, ("--weights", "package", "--teacher", "efficientnet", "--path", "nowhere")),
    "experiment": (Experiment, (*TEACHER, "--data", "nowhere")),
    "study": (PillarStudy, ("--data", "nowhere")),
}
PAPERS = {
    "experiment": ("--set", "study.preset=paper"),
    "study": ("--set", "arms=[{name: reference, student: paper}]"),
}
"""How a command is told to take the paper's preset; others do by themselves."""
LOOPS = {"experiment": ("distill.loop", "study.finetune.loop"), "study": ("distill.loop", "finetune.loop")}
REFUSED = PipelineError, ModelError


def refused(command: str, *words: str) -> Exception:
    """Run a command in an empty folder; return the error that ``main`` says in one line."""
    error = CliRunner().invoke(app, [command, *COMMANDS[command][1], "--out", "out", *words]).exception
    assert isinstance(error, REFUSED), error
    assert "\n" not in str(error)
    return error


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, in which nothing is left."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("YOUTUBE_OCC_WEIGHTS", str(tmp_path / "weights"))
    return tmp_path


def hints(message: str) -> list[str]:
    """Return the options that a message proposes, as a shell reads them: each name with its value."""
    return [
        word
        for option, value in re.findall(r"(--set|--preset) ('[^']*'|[^\s,;()]+)", message)
        for word in (option, *shlex.split(value))
    ]


def assignments(words: list[str]) -> list[str]:
    return [value for option, value in zip(words[::2], words[1::2], strict=True) if option == "--set"]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_papers_preset_without_image_weights_is_refused_by_settings_that_the_command_has(command: str):
    message = str(refused(command, *PAPERS.get(command, ())))
    assert "begins with MaskDINO's image weights" in message
    weights, other = message.split("Other presets")
    proposed = hints(weights)
    settings = with_values(
        COMMANDS[command][0], parsed(["weights=package"] * (command == "experiment") + assignments(proposed))
    )
    given = re.findall(r"image_weights='maskdino_r50'", repr(settings))
    assert len(given) == len(proposed) // 2 == (2 if command in LOOPS else 1)
    beyond = refused(command, *PAPERS.get(command, ()), *hints(other))
    assert "MaskDINO" not in str(beyond), "with what it proposes, the command comes to what is not there: data"
    assert isinstance(beyond, UnusableDataset)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("part", [0, 1])
def test_a_precision_that_a_device_has_not_is_refused_by_its_name(
    command: str, part: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(training.loop, "has_bfloat16", lambda _: False)
    loop = LOOPS.get(command, ("loop", "loop"))[part]
    preset = ("--preset", "small") if command not in LOOPS else ()
    words = (*preset, "--set", f"{loop}.precision=bf16-mixed")
    message = str(refused(command, *words))
    assert "does not compute in bfloat16" in message
    assert hints(message) == ["--set", f"{loop}.precision=32-true"]
    assert isinstance(refused(command, *words, *hints(message)), UnusableDataset)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a card")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_card_that_is_not_there_is_refused_by_the_setting_that_asks_for_it(command: str):
    loop = LOOPS.get(command, ("loop",))[-1]
    preset = ("--preset", "small") if command not in LOOPS else ()
    words = (*preset, "--set", f"{loop}.accelerator=cuda")
    message = refused(command, *words)
    assert isinstance(message, NoSuchDevice)
    assert hints(str(message)) == ["--set", f"{loop}.accelerator=auto"]
    assert isinstance(refused(command, *words, *hints(str(message))), UnusableDataset)


@pytest.mark.parametrize("model", [DistillSettings, FinetuneSettings, LanguageSettings])
def test_trainings_of_one_network_name_their_settings_as_their_commands_do(model: type[BaseModel]):
    with pytest.raises(SettingsError) as error:
        check_encoder("paper", None)
    weights, other = str(error.value).split("Other presets")
    settings = with_values(model, parsed(assignments(hints(weights))))
    assert "image_weights='maskdino_r50'" in repr(settings)
    assert hints(other) == ["--preset", "medium"]


@pytest.mark.parametrize("command", LOOPS)
def test_rooms_with_exact_labels_are_not_weighed_by_how_sure_they_are(command: str):
    setting = f"{LOOPS[command][-1].removesuffix('loop')}weigh_by"
    message = str(refused(command, "--set", f"{setting}=[confidence]"))
    assert hints(message) == ["--set", f"{setting}=[]"]
    assert isinstance(refused(command, *hints(message)), UnusableDataset)


EXPERIMENTS = {
    "study.preset=huge": (WrongCheckpoint, "no preset 'huge'"),
    "study.preset=paper": (SettingsError, "image weights"),
    "study.shares=[0.1,1.5]": (UnusableDataset, r"a share of 1\.5"),
    "study.shares=[0.0]": (UnusableDataset, "a share of 0 "),
    "study.shares=[-0.5]": (UnusableDataset, r"a share of -0\.5"),
    "study.shares=[]": (SettingsError, "without shares"),
    "study.seeds=[]": (SettingsError, "without seeds"),
    "teacher=clip": (WrongCheckpoint, "no teacher 'clip'"),
    "weights=there_is_none": (WeightsUnavailable, "no file there_is_none"),
    "teacher=san": (WeightsUnavailable, "no file package"),
    "distill.image_weights=none.pth": (WeightsUnavailable, r"no file none\.pth"),
    "study.finetune.image_weights=none.pth": (WeightsUnavailable, r"no file none\.pth"),
}


@pytest.mark.parametrize("dry", [(), ("--dry-run",)], ids=["run", "dry run"])
@pytest.mark.parametrize("value", EXPERIMENTS)
def test_an_experiment_that_would_fail_is_refused_before_a_room_is_rendered(
    value: str, dry: tuple[str, ...], place: Path
):
    error, words = EXPERIMENTS[value]
    found = refused("experiment", "--set", value, *dry)
    assert isinstance(found, error)
    assert re.search(words, str(found))
    assert not (place / "out").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a card")
def test_the_size_for_a_card_is_refused_without_one_and_its_cost_is_said_all_the_same(place: Path):
    assert isinstance(refused("experiment", "--size", "h100"), NoSuchDevice)
    words = ["experiment", *COMMANDS["experiment"][1], "--size", "h100"]
    run, dry = (CliRunner().invoke(app, [*words, *more]) for more in ((), ("--dry-run",)))
    for ended in (run, dry):
        assert "TFLOP/s" in ended.stdout, "what it costs is said first"
    assert dry.exit_code == 0, dry.output
    assert "The run itself needs a card that this machine does not have: device 'cuda'" in dry.stdout
    assert not (place / "out").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a card")
@pytest.mark.parametrize("value", ["teacher=clip", "weights=there_is_none", "study.finetune.image_weights=none.pth"])
def test_a_dry_run_without_a_card_refuses_all_the_same_what_no_machine_could_run(value: str):
    error, words = EXPERIMENTS[value]
    found = refused("experiment", "--size", "h100", "--set", value, "--dry-run")
    assert isinstance(found, error)
    assert re.search(words, str(found))


def test_weights_that_would_be_fetched_are_not_asked_for_by_a_dry_run(place: Path):
    words = ["experiment", "--weights", "dinov2_small", "--dry-run"]
    ended = CliRunner().invoke(app, words)
    assert ended.exit_code == 0, ended.output
    assert "together, of an idle core" in ended.stdout
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("arm", ["{name: a, student: huge}", "{name: a, teacher: {kind: clip}}"])
def test_a_study_of_what_there_is_not_is_refused_before_its_dataset_is_read(arm: str, place: Path):
    assert isinstance(refused("study", "--set", f"arms=[{arm}]"), WrongCheckpoint)
    assert not (place / "out").exists()
