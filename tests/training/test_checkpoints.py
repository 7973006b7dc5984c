"""Trained networks as folders: what a folder says of itself, what it takes to be found again, and what is refused."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from models.symphonies import Symphonies
from tests.foreign import foreign_folder, lost
from tests.training.rooms import RoomFrames
from tests.training.tiny_runs import WIDTH, NumberedFeatures, quick
from training.checkpoints import (
    DESCRIPTION,
    WEIGHTS,
    NetworkDescription,
    comparable,
    describe,
    finished_network,
    load_network,
    new_network,
    save_network,
    start_from,
)
from training.errors import WrongCheckpoint
from training.runs import finetune, pretrain
from training.settings import DistillSettings, FinetuneSettings

SETTINGS = FinetuneSettings(loop=quick(steps=1, batch_size=1))
WANTED = {"preset": "tiny", "start": None, **SETTINGS.model_dump(mode="json")}


@pytest.fixture
def network() -> Symphonies:
    torch.manual_seed(0)
    return new_network("tiny", 12)


def described(network: Symphonies, **values: Any) -> NetworkDescription:
    given = {"network": network.config, "task": "supervised", "data": "a room", "settings": WANTED, "steps": 1}
    return NetworkDescription(**{**given, **values})


@pytest.fixture
def saved(network: Symphonies, tmp_path: Path) -> Path:
    save_network(tmp_path, network, described(network))
    return tmp_path


def rewrite(folder: Path, change: Any) -> None:
    """Change what a folder says of itself."""
    content = json.loads((folder / DESCRIPTION).read_text())
    change(content)
    (folder / DESCRIPTION).write_text(json.dumps(content))


def test_a_network_comes_back_as_it_was_saved(network: Symphonies, saved: Path):
    loaded = load_network(saved)
    assert not loaded.training
    assert loaded.config == network.config
    state = loaded.state_dict()
    assert all(torch.equal(state[name], value) for name, value in network.state_dict().items())
    assert describe(saved) == described(network)


def test_a_folder_is_finished_when_its_description_is_there(network: Symphonies, saved: Path):
    assert finished_network(saved, "supervised", "a room", WANTED) == described(network)
    (saved / DESCRIPTION).unlink()
    assert finished_network(saved, "supervised", "a room", WANTED) is None


@pytest.mark.parametrize(
    ("task", "data", "changed"),
    [
        ("distilled", "a room", {}),
        ("supervised", "another room", {}),
        ("supervised", "a room", {"preset": "small"}),
        ("supervised", "a room", {"label_share": 0.5}),
        ("supervised", "a room", {"loop": quick(steps=2, batch_size=1).model_dump(mode="json")}),
    ],
)
def test_the_network_of_another_run_is_not_overwritten(saved: Path, task: str, data: str, changed: dict[str, Any]):
    with pytest.raises(WrongCheckpoint, match="run on other data or settings"):
        finished_network(saved, task, data, {**WANTED, **changed})
    assert (saved / WEIGHTS).exists()


def test_a_network_made_before_a_setting_existed_is_the_one_of_its_default(saved: Path):
    for name in ("precision", "accumulate", "epsilon"):
        rewrite(saved, lambda content, name=name: content["settings"]["loop"].pop(name))
    changed = {**WANTED["loop"], "epsilon": 0.5}
    with pytest.raises(WrongCheckpoint):
        finished_network(saved, "supervised", "a room", {**WANTED, "loop": changed})
    assert finished_network(saved, "supervised", "a room", WANTED) is not None


def test_a_network_made_with_another_number_of_processes_is_the_same_network(saved: Path):
    rewrite(saved, lambda content: content["settings"]["loop"].update(workers=8, accelerator="cuda", log_every=3))
    assert finished_network(saved, "supervised", "a room", WANTED) is not None


def test_a_setting_that_today_knows_nothing_of_makes_another_network(saved: Path):
    rewrite(saved, lambda content: content["settings"]["loop"].update(momentum=0.9))
    with pytest.raises(WrongCheckpoint, match="run on other data or settings"):
        finished_network(saved, "supervised", "a room", WANTED)


def test_the_network_it_started_from_is_compared_as_today_reads_it(network: Symphonies):
    start = described(network).model_dump(mode="json")
    older = json.loads(json.dumps(start))
    for place, name in (
        (older["settings"]["loop"], "precision"),
        (older["network"], "lifting"),
        (older, "text_weights"),
    ):
        del place[name]
    now, then = ({**WANTED, "start": given} for given in (start, older))
    assert comparable("supervised", now) == comparable("supervised", then)
    older["settings"]["loop"]["seed"] = 5
    assert comparable("supervised", now) != comparable("supervised", then)
    assert comparable("supervised", now) != comparable("supervised", WANTED)


def test_settings_of_a_task_that_is_not_known_stay_as_they_are():
    assert comparable("guessed", {"a": 1}) == {"a": 1}


def test_a_teacher_is_part_of_what_a_distilled_network_is(tmp_path: Path):
    frames, settings = RoomFrames(1), DistillSettings(loop=quick(steps=1, batch_size=1))
    features = NumberedFeatures()
    pretrain(frames, features, WIDTH, "tiny", settings, tmp_path)
    assert pretrain(frames, features, WIDTH, "tiny", settings, tmp_path).settings["teacher"] == features.group
    other = NumberedFeatures()
    other.group = "teacher_other"
    with pytest.raises(WrongCheckpoint, match="run on other data or settings"):
        pretrain(frames, other, WIDTH, "tiny", settings, tmp_path)


def test_a_finished_run_is_not_made_again_and_another_one_does_not_take_its_place(tmp_path: Path):
    frames = RoomFrames(1)
    finetune(frames, "tiny", None, SETTINGS, tmp_path)
    made = (tmp_path / WEIGHTS).stat().st_mtime_ns
    finetune(frames, "tiny", None, SETTINGS, tmp_path)
    assert (tmp_path / WEIGHTS).stat().st_mtime_ns == made
    with pytest.raises(WrongCheckpoint, match="run on other data or settings"):
        finetune(frames, "tiny", None, FinetuneSettings(loop=quick(steps=1, batch_size=1, seed=5)), tmp_path)


def test_another_network_is_started_from_but_for_its_heads(network: Symphonies, saved: Path):
    torch.manual_seed(1)
    other = new_network("tiny", WIDTH)
    head = other.head.weight.clone()
    start_from(other, saved)
    theirs = network.state_dict()
    assert torch.equal(other.head.weight, head)
    assert all(torch.equal(value, theirs[name]) for name, value in other.state_dict().items() if "head" not in name)


def test_a_network_of_another_preset_is_not_started_from(network: Symphonies, saved: Path):
    larger = Symphonies(replace(network.config, channels=32))
    with pytest.raises(WrongCheckpoint, match="channels 16 there, 32 here"):
        start_from(larger, saved)
    with pytest.raises(WrongCheckpoint, match="no preset 'huge'; choose one of paper"):
        new_network("huge", 12)


@pytest.mark.parametrize("keep", [0, 7, 1000, -1])
def test_damaged_weights_are_refused(saved: Path, keep: int):
    (saved / WEIGHTS).write_bytes((saved / WEIGHTS).read_bytes()[:keep])
    with pytest.raises(WrongCheckpoint):
        load_network(saved)


def test_weights_that_do_not_fit_their_description_are_refused(saved: Path):
    rewrite(saved, lambda content: content["network"].update(outputs=5))
    with pytest.raises(WrongCheckpoint, match="head"):
        load_network(saved)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe", b"[]", b'{"network": {}}', b'{"network": {"outputs": "x"}}']
)
def test_a_description_that_is_none_is_named(saved: Path, content: bytes):
    (saved / DESCRIPTION).write_bytes(content)
    with pytest.raises(WrongCheckpoint, match="describes no network"):
        load_network(saved)


def test_a_folder_without_a_network_says_to_train_one(tmp_path: Path):
    with pytest.raises(WrongCheckpoint, match="train it first"):
        describe(tmp_path / "nowhere")


def test_a_save_that_fails_leaves_a_folder_that_is_not_finished(network: Symphonies, tmp_path: Path):
    (tmp_path / DESCRIPTION).mkdir()
    with pytest.raises(OSError, match="directory"):
        save_network(tmp_path, network, described(network))
    (tmp_path / DESCRIPTION).rmdir()
    assert (tmp_path / WEIGHTS).exists()
    assert finished_network(tmp_path, "supervised", "a room", WANTED) is None


@pytest.mark.parametrize("name", [WEIGHTS, "curves.png"])
def test_what_no_training_left_is_not_replaced_by_one(tmp_path: Path, name: str):
    before = foreign_folder(tmp_path, name, f"{WEIGHTS}.part", f"{DESCRIPTION}.part")
    with pytest.raises(WrongCheckpoint, match=f"{name} that no training"):
        finetune(RoomFrames(1), "tiny", None, SETTINGS, tmp_path)
    assert lost(before, tmp_path) == []
    (tmp_path / name).unlink()
    finetune(RoomFrames(1), "tiny", None, SETTINGS, tmp_path)
    assert lost(before, tmp_path) == [name], "replaced only once it was moved away"


@pytest.mark.parametrize(
    ("size", "value"),
    [
        ("channels", -1),
        ("layers", 0),
        ("layers", 10**9),
        ("channels", 10**7),
        ("picture_size", [10**6, 160]),
        ("heads", 3),
    ],
)
def test_sizes_that_no_network_has_are_refused_before_they_take_memory(saved: Path, size: str, value: Any):
    rewrite(saved, lambda content: content["network"].update({size: value}))
    with pytest.raises(WrongCheckpoint):
        load_network(saved)
