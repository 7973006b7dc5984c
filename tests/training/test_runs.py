"""Training as a whole on tiny runs: it learns, resumes after kill -9, stops at NaN, and keeps to its checkpoints."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.training.rooms import RoomFrames
from tests.training.tiny_runs import WIDTH, NumberedFeatures, quick
from training.checkpoints import WEIGHTS, load_network, new_network, start_from
from training.data import Sample
from training.errors import LossNotFinite, UnusableDataset, WrongCheckpoint
from training.runs import finetune, pretrain
from training.scores.evaluate import evaluate
from training.settings import DistillSettings, FinetuneSettings
from training.state import STATE


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
    description = pretrain(frames, NumberedFeatures(), WIDTH, "small", settings, tmp_path / "distilled")
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
        pretrain(Plain(1), NumberedFeatures(), WIDTH, "small", settings, tmp_path)
    slic = settings.model_copy(update={"regions": "slic", "superpixels": 20})
    assert pretrain(Plain(1), NumberedFeatures(), WIDTH, "small", slic, tmp_path).steps == 1
