"""The loop: what a step is, and what becomes of a training that is killed, spoiled, damaged or another one."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from models.errors import NoSuchDevice
from pipeline.contract.progress import silent
from tests.training.killed import drawn_step, run_until_killed
from tests.training.rooms import RoomFrames
from tests.training.tiny_runs import Root, quick, roots
from training.checkpoints import WEIGHTS
from training.errors import LossNotFinite, WrongCheckpoint
from training.loop import SCORES_PLOT, Trained, Training, fabric_for, train
from training.runs import finetune
from training.settings import FinetuneSettings, LoopSettings
from training.state import STATE

STEPWISE = FinetuneSettings(loop=quick(checkpoint_every=3, batch_size=1, steps=8, ema_decay=0.9, warm_up=2))
UNTIL_KILLED = """
from tests.training.test_loop import STEPWISE, RoomFrames
from training.runs import finetune

finetune(RoomFrames(3), "tiny", None, STEPWISE, folder, progress)
"""


def run(training: Training, loop: LoopSettings, folder: Path) -> Trained:
    return train(training, loop, folder, fabric_for(loop, folder), silent)


def weight_of(trained: Trained) -> float:
    assert isinstance(trained.task, Root)
    return float(trained.task.weight.detach())


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, torch.Tensor]:
    """The weights of an occupancy network whose training nothing disturbs."""
    folder = tmp_path_factory.mktemp("undisturbed")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    assert finetune(RoomFrames(3), "tiny", None, STEPWISE, folder).steps == 8
    torch.set_num_threads(threads)
    return load_file(folder / WEIGHTS)


@pytest.mark.parametrize("draw", range(2))
def test_a_training_killed_at_a_random_step_ends_in_the_same_weights(
    undisturbed: dict[str, torch.Tensor], tmp_path: Path, draw: int
):
    step = drawn_step(10 + draw, 8)
    run_until_killed(UNTIL_KILLED, tmp_path, step)
    assert not (tmp_path / WEIGHTS).exists()
    if step >= 3:
        assert torch.load(tmp_path / STATE, weights_only=True)["step"] == step // 3 * 3
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    finetune(RoomFrames(3), "tiny", None, STEPWISE, tmp_path)
    torch.set_num_threads(threads)
    ended = load_file(tmp_path / WEIGHTS)
    assert ended.keys() == undisturbed.keys()
    assert all(torch.equal(ended[name], undisturbed[name]) for name in ended)


def test_accumulated_passes_make_the_step_of_one_large_batch(tmp_path: Path):
    numbers = {row: 1.0 + row for row in range(8)}
    ended = []
    for size, passes in ((4, 1), (2, 2), (1, 4)):
        trained = run(roots(numbers), quick(batch_size=size, accumulate=passes, epsilon=1.0), tmp_path / f"{passes}")
        assert trained.curves.points["total"][-1][0] == trained.steps == 4
        ended.append(weight_of(trained))
    assert ended[0] < 1
    assert ended == pytest.approx([ended[0]] * 3, abs=1e-6)


def test_epsilon_decides_how_far_small_gradients_move_the_weights(tmp_path: Path):
    moved = {}
    for epsilon in (1e-8, 1e-3):
        loop = quick(batch_size=1, epochs=1, epsilon=epsilon, weight_decay=0)
        moved[epsilon] = 1 - weight_of(run(roots({0: 1e-8}), loop, tmp_path / f"{epsilon}"))
    assert moved[1e-8] == pytest.approx(loop.learning_rate, rel=0.01)
    assert moved[1e-3] == pytest.approx(loop.learning_rate * 5e-5 / 1e-3, rel=0.1), "the root's slope is 5e-5"


def test_a_gradient_that_is_no_number_stops_the_run_before_it_spoils_the_weights(tmp_path: Path):
    first, second = torch.randperm(2, generator=torch.Generator().manual_seed(0)).tolist()
    training = roots({first: 1.0, second: 0.0})
    with pytest.raises(LossNotFinite, match=f"gradients .* step 1, batch number {second}"):
        run(training, quick(batch_size=1, epochs=1, checkpoint_every=1), tmp_path)
    assert training.task.weight.isfinite().all()
    assert torch.load(tmp_path / STATE, weights_only=True)["step"] == 1


def test_the_mean_of_the_weights_that_is_kept_lags_behind_the_last_ones(tmp_path: Path):
    numbers = {0: 1.0}
    loop = quick(steps=30, batch_size=1, weight_decay=0)
    last = weight_of(run(roots(numbers), loop, tmp_path / "last"))
    mean = weight_of(run(roots(numbers), loop.model_copy(update={"ema_decay": 0.9}), tmp_path / "mean"))
    state = torch.load(tmp_path / "mean" / STATE, weights_only=True)
    assert float(state["task"]["weight"]) == last, "the weights that are trained know nothing of their mean"
    assert last < mean < 1


def test_what_is_held_out_is_scored_at_its_pace_and_at_the_end_in_evaluation_mode(tmp_path: Path):
    modes = []

    def scores(task: torch.nn.Module) -> dict[str, float]:
        modes.append((task.training, torch.is_inference_mode_enabled()))
        return {"weight": float(task.weight)}

    base = roots({0: 1.0})
    training = Training(base.task, base.batches, {}, scores)
    trained = run(training, quick(steps=7, batch_size=1, score_every=3, log_every=100), tmp_path)
    assert [step for step, _ in trained.curves.points["weight"]] == [3, 6, 7]
    assert [step for step, _ in trained.curves.points["total"]] == [7], "the last loss is noted whatever the pace"
    assert modes == [(False, True)] * 3
    assert (tmp_path / SCORES_PLOT).read_bytes().startswith(b"\x89PNG")


def test_without_anything_held_out_no_scores_are_drawn(tmp_path: Path):
    run(roots({0: 1.0}), quick(steps=2, batch_size=1, score_every=1), tmp_path)
    assert not (tmp_path / SCORES_PLOT).exists()
    assert list((tmp_path / "tensorboard").glob("events*"))


def test_progress_counts_every_step_and_goes_on_where_an_earlier_process_stopped(tmp_path: Path):
    seen: list[tuple[float, ...]] = []

    def stopping(_task: str, done: float, total: float) -> None:
        seen.append((done, total))
        if done == 3:
            raise KeyboardInterrupt

    loop = quick(steps=5, batch_size=1, checkpoint_every=2)
    with pytest.raises(KeyboardInterrupt):
        train(roots({0: 1.0}), loop, tmp_path, fabric_for(loop, tmp_path), stopping)
    train(roots({0: 1.0}), loop, tmp_path, fabric_for(loop, tmp_path), lambda _, *step: seen.append(step))
    assert seen == [(1, 5), (2, 5), (3, 5), (3, 5), (4, 5), (5, 5)]


def test_curves_of_an_interrupted_training_have_no_gap_and_nothing_twice(tmp_path: Path):
    loop = quick(steps=6, batch_size=1, checkpoint_every=4)

    def stopping(task: str, done: float, total: float, note: str = "") -> None:  # noqa: ARG001 - the interface
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(roots({0: 1.0}), loop, tmp_path / "stopped", fabric_for(loop, tmp_path), stopping)
    stopped, whole = (run(roots({0: 1.0}), loop, tmp_path / name) for name in ("stopped", "whole"))
    assert stopped.curves.points == whole.curves.points
    assert [step for step, _ in whole.curves.points["total"]] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    "changed",
    [{"steps": 5}, {"learning_rate": 1e-3}, {"seed": 1}, {"batch_size": 2}, {"schedule": "cosine"}, {"warm_up": 1}],
)
def test_the_state_of_a_run_with_other_settings_is_refused(tmp_path: Path, changed: dict[str, object]):
    run(roots({0: 1.0, 1: 2.0}), quick(steps=4, batch_size=1), tmp_path)
    with pytest.raises(WrongCheckpoint, match="other data, network or settings"):
        run(roots({0: 1.0, 1: 2.0}), quick(**{"steps": 4, "batch_size": 1, **changed}), tmp_path)


@pytest.mark.parametrize("changed", [{"workers": 1}, {"checkpoint_every": 1}, {"log_every": 2}, {"score_every": 5}])
def test_where_and_how_it_runs_may_change_while_a_training_is_interrupted(tmp_path: Path, changed: dict[str, object]):
    first = run(roots({0: 1.0, 1: 2.0}), quick(steps=4, batch_size=1), tmp_path)
    again = run(roots({0: 1.0, 1: 2.0}), quick(**{"steps": 4, "batch_size": 1, **changed}), tmp_path)
    assert weight_of(first) == weight_of(again)


def test_the_state_of_a_run_on_other_data_or_another_number_of_samples_is_refused(tmp_path: Path):
    loop = quick(steps=4, batch_size=1)
    base = roots({0: 1.0})
    run(Training(base.task, base.batches, {"data": "dataset 1"}), loop, tmp_path)
    for other in (Training(Root(), base.batches, {"data": "dataset 2"}), Training(Root(), base.batches, {})):
        with pytest.raises(WrongCheckpoint, match="other data, network or settings"):
            run(other, loop, tmp_path)
    more = Training(Root(), roots({0: 1.0, 1: 1.0}).batches, {"data": "dataset 1"})
    with pytest.raises(WrongCheckpoint, match="other data, network or settings"):
        run(more, loop, tmp_path)


def test_the_number_of_threads_is_only_touched_where_it_is_set(tmp_path: Path):
    before = torch.get_num_threads()
    run(roots({0: 1.0}), quick(steps=1, batch_size=1), tmp_path / "untouched")
    assert torch.get_num_threads() == before
    run(roots({0: 1.0}), quick(steps=1, batch_size=1, threads=1), tmp_path / "set")
    assert torch.get_num_threads() == 1
    torch.set_num_threads(before)


def test_dropout_of_a_step_depends_on_seed_and_step_alone(tmp_path: Path):
    class Dropping(Root):
        def forward(self, batch: object) -> dict[str, torch.Tensor]:
            drawn.append(torch.rand(4).tolist())
            return super().forward(batch)

    runs = []
    for name, seed in (("first", 0), ("again", 0), ("other", 1)):
        drawn: list[list[float]] = []
        torch.rand(len(name))  # whatever was drawn before
        run(roots({0: 1.0}, Dropping()), quick(steps=3, batch_size=1, seed=seed), tmp_path / name)
        runs.append(drawn)
    assert runs[0] == runs[1]
    assert not any(draw in runs[2] for draw in runs[0])
    assert runs[0][0] != runs[0][1]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a graphics card")
def test_a_card_that_is_not_there_is_refused_in_a_line(tmp_path: Path):
    with pytest.raises(NoSuchDevice, match="'cuda' cannot be used here") as refused:
        fabric_for(LoopSettings(accelerator="cuda"), tmp_path)
    assert "\n" not in str(refused.value)
