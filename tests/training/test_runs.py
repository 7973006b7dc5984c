"""Training as a whole on tiny runs: it learns, resumes after kill -9, stops at NaN, and keeps to its checkpoints."""

import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch

from models.symphonies import PRESETS, Symphonies
from tests.paths import ROOT
from tests.training.rooms import RoomFrames
from training.checkpoints import WEIGHTS, describe, load_network, new_network, start_from
from training.data import Sample, collate
from training.errors import LossNotFinite, UnusableDataset, WrongCheckpoint
from training.loop import STATE, Work, fabric_for, train
from training.runs import evaluate, finetune, pretrain, silent
from training.settings import DistillSettings, FinetuneSettings, LoopSettings
from training.tasks.supervise import Supervision

WIDTH = 8


def quick(**values: object) -> LoopSettings:
    given = {"epochs": 2, "batch_size": 2, "workers": 0, "log_every": 1, "accelerator": "cpu", "learning_rate": 2e-3}
    return LoopSettings.model_validate({**given, **values})


class FakeFeatures:
    """Features that are a function of the frame's number: enough for the plumbing of distillation."""

    group = "teacher_fake"

    def __getitem__(self, index: int) -> np.ndarray:
        return np.random.default_rng(index).standard_normal((WIDTH, 6, 8)).astype(np.float16)


def test_a_network_learns_a_room_by_heart_and_beats_the_baselines(tmp_path: Path):
    frames = RoomFrames(1)
    settings = FinetuneSettings(loop=quick(epochs=15, batch_size=1, decay_at=1, learning_rate=1e-2))
    before = evaluate(new_network("small", 12), frames, "untrained").summary()
    description = finetune(frames, "small", None, settings, tmp_path)
    evaluation = evaluate(load_network(tmp_path), frames, "trained")
    figures = evaluation.summary()
    assert description.steps == 15
    assert figures["iou all"] > max(before["iou all"], figures["iou all in view occupied"])
    assert figures["miou all"] > 0.1
    assert "| trained | visible |" in evaluation.markdown()
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert list((tmp_path / "tensorboard").glob("events*"))


STEPWISE = FinetuneSettings(loop=quick(checkpoint_every=2, batch_size=1, epochs=2))
RUN = """
import os, signal, sys
from pathlib import Path
import torch
from tests.training.test_runs import STEPWISE, RoomFrames
from training.runs import finetune

def killed(done, total):
    if done == 3:
        os.kill(os.getpid(), signal.SIGKILL)

torch.set_num_threads(1)
finetune(RoomFrames(2), "small", None, STEPWISE, Path(sys.argv[1]), killed)
"""


def test_a_run_killed_between_two_saved_states_goes_on_to_the_same_weights(tmp_path: Path):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    command = [sys.executable, "-W", "ignore", "-c", RUN, str(tmp_path / "killed")]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == -signal.SIGKILL
    assert torch.load(tmp_path / "killed" / STATE, weights_only=True)["step"] == 2
    assert not (tmp_path / "killed" / WEIGHTS).exists()
    for name in ("killed", "whole"):
        assert finetune(RoomFrames(2), "small", None, STEPWISE, tmp_path / name).steps == 4
    torch.set_num_threads(threads)
    assert (tmp_path / "killed" / WEIGHTS).read_bytes() == (tmp_path / "whole" / WEIGHTS).read_bytes()


def test_a_finished_run_is_not_made_again_and_another_one_does_not_go_on_from_its_state(tmp_path: Path):
    frames, settings = RoomFrames(1), FinetuneSettings(loop=quick(epochs=1, batch_size=1))
    finetune(frames, "small", None, settings, tmp_path)
    made = (tmp_path / WEIGHTS).stat().st_mtime_ns
    finetune(frames, "small", None, settings, tmp_path)
    assert (tmp_path / WEIGHTS).stat().st_mtime_ns == made
    with pytest.raises(WrongCheckpoint, match="run on other data or settings"):
        finetune(frames, "small", None, FinetuneSettings(loop=quick(epochs=1, batch_size=1, seed=5)), tmp_path)


DIVERGING = FinetuneSettings(loop=quick(batch_size=1, epochs=1, checkpoint_every=1, learning_rate=1e30))


def test_a_loss_that_is_no_number_stops_the_run_names_the_batch_and_keeps_the_last_state(tmp_path: Path):
    frames = RoomFrames(2)
    second = torch.randperm(2, generator=torch.Generator().manual_seed(0)).tolist()[1]
    with pytest.raises(LossNotFinite, match=f"step 1, batch {frames.names[second]}"):
        finetune(frames, "small", None, DIVERGING, tmp_path)
    assert torch.load(tmp_path / STATE, weights_only=True)["step"] == 1
    assert not (tmp_path / WEIGHTS).exists()


def test_distillation_then_fine_tuning_keeps_everything_but_the_head(tmp_path: Path):
    frames = RoomFrames(2)
    settings = DistillSettings(loop=quick(epochs=1))
    description = pretrain(frames, FakeFeatures(), WIDTH, "small", settings, tmp_path / "distilled")
    assert (description.task, description.network.outputs) == ("distilled", WIDTH)
    network, trained = new_network("small", 12), load_network(tmp_path / "distilled")
    start_from(network, tmp_path / "distilled")
    ours, theirs = network.state_dict(), trained.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours if not name.startswith("head."))
    with pytest.raises(WrongCheckpoint, match="fine-tune it first"):
        evaluate(trained, frames, "distilled")


def test_a_linear_probe_moves_the_head_alone(tmp_path: Path):
    frames = RoomFrames(1)
    start, probe = tmp_path / "start", tmp_path / "probe"
    finetune(frames, "small", None, FinetuneSettings(loop=quick(epochs=1, batch_size=1)), start)
    settings = FinetuneSettings(linear_probe=True, loop=quick(epochs=2, batch_size=1))
    finetune(frames, "small", start, settings, probe)
    before, after = load_network(start).state_dict(), load_network(probe).state_dict()
    moved = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert moved == {"head"}


def test_what_a_linear_probe_freezes_keeps_its_statistics_and_drops_nothing():
    torch.manual_seed(0)
    network = Symphonies(replace(PRESETS["small"], norm="batch", dropout=0.5))
    probe = Supervision(network, linear_probe=True).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    batch = collate([RoomFrames(1)[0]])
    first, second = (probe(batch)["total"] for _ in range(2))
    assert first == second
    torch.autograd.backward(first)
    assert {name for name, value in network.named_parameters() if value.grad is not None} == {
        "head.weight",
        "head.bias",
    }
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


class Numbers(NamedTuple):
    values: torch.Tensor
    names: tuple[str, ...]


class Root(torch.nn.Module):
    """The mean of roots: finite at zero, where its gradient is not."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1))

    def forward(self, batch: Numbers) -> dict[str, torch.Tensor]:
        return {"total": (self.weight * batch.values).sqrt().mean()}


def roots(numbers: dict[int, float]) -> Work:
    def stacked(rows: Sequence[int]) -> Numbers:
        return Numbers(torch.tensor([numbers[row] for row in rows]), tuple(f"number {row}" for row in rows))

    return Work(Root(), range(len(numbers)), stacked, {})


def test_accumulated_passes_make_the_step_of_one_large_batch(tmp_path: Path):
    numbers = {row: 1.0 + row for row in range(8)}
    ended = []
    for size, passes in ((4, 1), (2, 2), (1, 4)):
        loop = quick(batch_size=size, accumulate=passes, epsilon=1.0)
        work, folder = roots(numbers), tmp_path / f"{passes}"
        curves = train(work, loop, folder, fabric_for(loop, folder), silent)
        assert curves.points["total"][-1][0] == 4
        ended.append(float(work.task.weight.detach()))
    assert ended[0] < 1
    assert ended == pytest.approx([ended[0]] * 3, abs=1e-6)


def test_epsilon_decides_how_far_small_gradients_move_the_weights(tmp_path: Path):
    moved = {}
    for epsilon in (1e-8, 1e-3):
        loop = quick(batch_size=1, epochs=1, epsilon=epsilon, weight_decay=0)
        work, folder = roots({0: 1e-8}), tmp_path / f"{epsilon}"
        train(work, loop, folder, fabric_for(loop, folder), silent)
        moved[epsilon] = 1 - float(work.task.weight.detach())
    assert moved[1e-8] == pytest.approx(loop.learning_rate, rel=0.01)
    assert moved[1e-3] == pytest.approx(loop.learning_rate * 5e-5 / 1e-3, rel=0.1), "the root's slope is 5e-5"


def test_a_gradient_that_is_no_number_stops_the_run_before_it_spoils_the_weights(tmp_path: Path):
    loop = quick(batch_size=1, epochs=1, checkpoint_every=1)
    first, second = torch.randperm(2, generator=torch.Generator().manual_seed(0)).tolist()
    work = roots({first: 1.0, second: 0.0})
    with pytest.raises(LossNotFinite, match=f"gradients .* step 1, batch number {second}"):
        train(work, loop, tmp_path, fabric_for(loop, tmp_path), silent)
    assert work.task.weight.isfinite().all()
    assert torch.load(tmp_path / STATE, weights_only=True)["step"] == 1


def test_a_damaged_state_is_named(tmp_path: Path):
    with pytest.raises(LossNotFinite):
        finetune(RoomFrames(2), "small", None, DIVERGING, tmp_path)
    (tmp_path / STATE).write_bytes((tmp_path / STATE).read_bytes()[:1000])
    with pytest.raises(WrongCheckpoint, match=f"{STATE} is damaged"):
        finetune(RoomFrames(2), "small", None, DIVERGING, tmp_path)


def test_a_class_that_no_label_shows_is_named_and_training_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    settings = FinetuneSettings(loop=quick(epochs=1, batch_size=1))
    assert finetune(RoomFrames(1), "small", None, settings, tmp_path).steps == 1
    assert "tvs" in caplog.text
    assert "wall" not in caplog.text


def test_a_checkpoint_of_another_preset_is_refused(tmp_path: Path):
    finetune(RoomFrames(1), "small", None, FinetuneSettings(loop=quick(epochs=1, batch_size=1)), tmp_path)
    larger = Symphonies(replace(describe(tmp_path).network, channels=64))
    with pytest.raises(WrongCheckpoint, match="channels 32 there, 64 here"):
        start_from(larger, tmp_path)
    with pytest.raises(WrongCheckpoint, match="no preset 'huge'"):
        new_network("huge", 12)


def test_a_damaged_checkpoint_is_refused(tmp_path: Path):
    finetune(RoomFrames(1), "small", None, FinetuneSettings(loop=quick(epochs=1, batch_size=1)), tmp_path)
    (tmp_path / WEIGHTS).write_bytes((tmp_path / WEIGHTS).read_bytes()[:1000])
    with pytest.raises(WrongCheckpoint):
        load_network(tmp_path)
    with pytest.raises(WrongCheckpoint, match="train it first"):
        load_network(tmp_path / "nowhere")
    (tmp_path / "network.json").write_text(json.dumps({"network": {}}))
    with pytest.raises(WrongCheckpoint, match="describes no network"):
        load_network(tmp_path)
    (tmp_path / "network.json").write_bytes(b"\xff\xfe")
    with pytest.raises(WrongCheckpoint, match="describes no network"):
        load_network(tmp_path)


def test_a_frame_without_depth_is_named(tmp_path: Path):
    class Dark(RoomFrames):
        def __getitem__(self, index: int) -> Sample:
            return replace(super().__getitem__(index), depth=np.zeros((480, 640), np.float32))

    with pytest.raises(UnusableDataset, match=r"room/0-0 has no depth"):
        finetune(Dark(1), "small", None, FinetuneSettings(loop=quick(epochs=1, batch_size=1)), tmp_path)


def test_a_dataset_without_regions_asks_for_superpixels(tmp_path: Path):
    class Plain(RoomFrames):
        def __getitem__(self, index: int) -> Sample:
            return replace(super().__getitem__(index), regions=np.zeros((480, 640), np.int32))

    settings = DistillSettings(loop=quick(epochs=1, batch_size=1))
    with pytest.raises(UnusableDataset, match="set regions=slic"):
        pretrain(Plain(1), FakeFeatures(), WIDTH, "small", settings, tmp_path)
    slic = settings.model_copy(update={"regions": "slic", "superpixels": 20})
    assert pretrain(Plain(1), FakeFeatures(), WIDTH, "small", slic, tmp_path).steps == 1
