"""Saved states: whole or not at all, this training's or refused."""

import zipfile
from pathlib import Path

import pytest
import torch
from lightning_fabric import Fabric

from tests.training.tiny_runs import Root, quick
from training.curves import Curves
from training.errors import WrongCheckpoint
from training.optimiser import moving_average, new_optimizer
from training.settings import LoopSettings
from training.state import EARLIER_STATE, STATE, TrainingState

AVERAGED = quick(ema_decay=0.5)


def fresh(settings: LoopSettings = AVERAGED, identity: str = "one") -> tuple[TrainingState, Fabric]:
    fabric = Fabric(accelerator="cpu", devices=1)
    task = Root()
    wrapped, optimizer = fabric.setup(task, new_optimizer(task, settings))
    return TrainingState(wrapped, optimizer, moving_average(task, settings), identity), fabric


def moved(steps: int, settings: LoopSettings = AVERAGED) -> tuple[TrainingState, Fabric]:
    """A state after some steps down a slope."""
    state, fabric = fresh(settings)
    for _ in range(steps):
        fabric.backward(state.task.module.weight.sum())
        state.optimizer.step()
        state.optimizer.zero_grad()
        state.averaged.update_parameters(state.task.module)
        state.step += 1
    state.curves.add(state.step, {"total": 0.5})
    return state, fabric


def test_everything_comes_back(tmp_path: Path):
    state, fabric = moved(3)
    state.save(tmp_path, fabric)
    other, fabric = fresh()
    other.resume(tmp_path, fabric)
    assert other.step == 3
    assert other.curves == Curves({"total": [[3, 0.5]]})
    assert torch.equal(other.task.module.weight, state.task.module.weight)
    assert torch.equal(other.averaged.module.weight, state.averaged.module.weight)
    assert int(other.averaged.n_averaged) == 3
    ours, theirs = (found.optimizer.state_dict()["state"][0] for found in (state, other))
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_curves_that_were_read_are_not_those_that_were_saved(tmp_path: Path):
    state, fabric = moved(1)
    state.save(tmp_path, fabric)
    state.resume(tmp_path, fabric)
    state.curves.add(2, {"total": 0.1})
    again, fabric = fresh()
    again.resume(tmp_path, fabric)
    assert again.curves.points["total"] == [[1, 0.5]]


def test_a_folder_without_a_state_changes_nothing(tmp_path: Path):
    state, fabric = fresh()
    state.resume(tmp_path, fabric)
    assert (state.step, state.curves.points, float(state.task.module.weight.detach())) == (0, {}, 1)


def test_a_draft_that_was_cut_short_is_no_state(tmp_path: Path):
    state, fabric = moved(2)
    state.save(tmp_path, fabric)
    (tmp_path / f"{STATE}.part").write_bytes((tmp_path / STATE).read_bytes()[:100])
    other, fabric = fresh()
    other.resume(tmp_path, fabric)
    assert other.step == 2
    other.save(tmp_path, fabric)
    assert not (tmp_path / f"{STATE}.part").exists()


def test_a_state_that_cannot_be_written_leaves_the_one_before(tmp_path: Path):
    state, fabric = moved(1)
    state.save(tmp_path, fabric)
    before = (tmp_path / STATE).read_bytes()
    (tmp_path / f"{STATE}.part").mkdir()
    with pytest.raises((OSError, RuntimeError)):
        state.save(tmp_path, fabric)
    assert (tmp_path / STATE).read_bytes() == before


def test_the_state_of_another_training_is_refused_and_stays(tmp_path: Path):
    state, fabric = moved(1)
    state.save(tmp_path, fabric)
    before = (tmp_path / STATE).read_bytes()
    other, fabric = fresh(identity="another")
    with pytest.raises(WrongCheckpoint, match="name another folder, or delete it"):
        other.resume(tmp_path, fabric)
    assert (tmp_path / STATE).read_bytes() == before
    assert other.step == 0


def test_a_state_of_the_first_release_which_knew_no_average_is_refused(tmp_path: Path):
    torch.save({"task": {}, "optimizer": {}, "step": 4, "curves": {}, "identity": "0123abcd"}, tmp_path / STATE)
    state, fabric = fresh()
    with pytest.raises(WrongCheckpoint, match="earlier release"):
        state.resume(tmp_path, fabric)


@pytest.mark.parametrize("keep", [0, 1, 10, 1000, -1])
def test_a_damaged_state_is_named(tmp_path: Path, keep: int):
    state, fabric = moved(1)
    state.save(tmp_path, fabric)
    (tmp_path / STATE).write_bytes((tmp_path / STATE).read_bytes()[:keep])
    with pytest.raises(WrongCheckpoint, match=f"{STATE} is damaged: delete it"):
        state.resume(tmp_path, fabric)


@pytest.mark.parametrize("content", [[1, 2], "text", {"step": 3}])
def test_what_is_a_file_of_torch_but_no_state_is_refused(tmp_path: Path, content: object):
    torch.save(content, tmp_path / STATE)
    state, fabric = fresh()
    with pytest.raises(WrongCheckpoint):
        state.resume(tmp_path, fabric)


def test_a_file_that_would_run_code_is_refused_and_runs_nothing(tmp_path: Path):
    class Harmful:
        def __reduce__(self) -> tuple:
            return Path.mkdir, (tmp_path / "ran",)

    torch.save({"identity": Harmful()}, tmp_path / STATE)
    state, fabric = fresh()
    with pytest.raises(WrongCheckpoint, match="is damaged"):
        state.resume(tmp_path, fabric)
    assert not (tmp_path / "ran").exists()


def test_the_state_of_an_earlier_release_is_not_taken_for_a_beginning(tmp_path: Path):
    (tmp_path / EARLIER_STATE).write_bytes(b"whatever it holds")
    state, fabric = fresh()
    with pytest.raises(WrongCheckpoint, match=f"{EARLIER_STATE} is the state of an earlier release"):
        state.resume(tmp_path, fabric)


def test_what_is_kept_is_the_mean_where_there_is_one_and_the_last_weights_elsewhere():
    averaged, _ = moved(4)
    assert averaged.kept is averaged.averaged.module
    assert float(averaged.kept.weight.detach()) > float(averaged.task.module.weight.detach())
    plain, _ = fresh(quick())
    assert plain.averaged is None
    assert plain.kept is plain.task.module


def test_a_state_whose_damage_shows_only_when_it_is_loaded_is_named(tmp_path: Path):
    """The identity reads, a tensor does not: its storage is shorter than the state says."""
    state, fabric = moved(1)
    state.save(tmp_path, fabric)
    with zipfile.ZipFile(tmp_path / STATE) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(tmp_path / STATE, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content[:1] if "/data/" in name else content)
    again, fabric = fresh()
    with pytest.raises(WrongCheckpoint, match="is damaged: delete it"):
        again.resume(tmp_path, fabric)
