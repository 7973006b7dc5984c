"""Recipes on the loop: the same weights from the same settings, whatever happened in between."""

from pathlib import Path

import pytest
import torch

from pipeline.contract.errors import SettingsError
from tests.training.killed import drawn_step, run_until_killed
from tests.training.small.tiny_recipe import SETTINGS, HalvesRecipe, halves
from training.errors import LossNotFinite, WrongCheckpoint
from training.loop import SCORES_PLOT, fabric_for
from training.loop import train as train_task
from training.small.recipe import HeldOutScores, RecipeTask, averaged_so_far, train, training_of
from training.state import EARLIER_STATE, STATE

UNTIL_KILLED = """
from tests.training.small.tiny_recipe import halves
from training.loop import fabric_for, train
from training.small.recipe import training_of

recipe = halves()
loop = recipe.settings.loop
train(training_of(recipe), loop, folder, fabric_for(loop, folder), progress)
"""


def stop(folder: Path, step: int) -> None:
    """Train up to a step, after which the training is interrupted."""

    def progress(task: str, done: float, total: float, note: str = "") -> None:  # noqa: ARG001 - the interface
        if done == step:
            raise KeyboardInterrupt

    loop = SETTINGS.loop
    with pytest.raises(KeyboardInterrupt):
        train_task(training_of(halves()), loop, folder, fabric_for(loop, folder), progress)


def weights(network: torch.nn.Module) -> torch.Tensor:
    return torch.cat([value.float().flatten() for value in network.state_dict().values()])


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> torch.Tensor:
    return weights(train(halves(), tmp_path_factory.mktemp("undisturbed")))


def test_the_same_recipe_gives_the_same_weights(undisturbed: torch.Tensor, tmp_path: Path):
    assert torch.equal(weights(train(halves(), tmp_path)), undisturbed)


def test_another_seed_gives_other_weights(undisturbed: torch.Tensor, tmp_path: Path):
    assert not torch.equal(weights(train(halves(seed=1), tmp_path)), undisturbed)


@pytest.mark.parametrize("draw", range(2))
def test_a_training_killed_at_a_random_step_ends_in_the_same_weights(
    undisturbed: torch.Tensor, tmp_path: Path, draw: int
):
    step = drawn_step(draw, SETTINGS.loop.steps)
    run_until_killed(UNTIL_KILLED, tmp_path, step)
    every = SETTINGS.loop.checkpoint_every
    assert torch.load(tmp_path / STATE, weights_only=True)["step"] == step // every * every
    assert torch.equal(weights(train(halves(), tmp_path)), undisturbed)


def test_rendering_in_other_processes_changes_nothing(undisturbed: torch.Tensor, tmp_path: Path):
    assert torch.equal(weights(train(halves(workers=2), tmp_path)), undisturbed)


def test_a_finished_training_is_read_back(undisturbed: torch.Tensor, tmp_path: Path):
    train(halves(), tmp_path)
    written = (tmp_path / STATE).stat().st_mtime_ns
    assert torch.equal(weights(train(halves(), tmp_path)), undisturbed)
    assert (tmp_path / STATE).stat().st_mtime_ns == written


def test_training_learns_draws_its_curve_and_shows_its_scores(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    train(halves(steps=120, score_every=40, log_every=30), tmp_path)
    curves = torch.load(tmp_path / STATE, weights_only=True)["curves"]
    assert [step for step, _ in curves["accuracy"]] == [40, 80, 120]
    assert [step for step, _ in curves["total"]] == [30, 60, 90, 120]
    assert curves["accuracy"][-1][1] > 0.9
    assert curves["total"][-1][1] < curves["total"][0][1]
    assert (tmp_path / SCORES_PLOT).read_bytes().startswith(b"\x89PNG")
    assert "halves step 120: accuracy" in capsys.readouterr().out


def test_what_was_reached_so_far_can_be_had_and_nothing_is_trained_for_it(undisturbed: torch.Tensor, tmp_path: Path):
    stop(tmp_path, 13)
    so_far = weights(averaged_so_far(halves(), tmp_path))
    assert not torch.equal(so_far, undisturbed)
    assert torch.load(tmp_path / STATE, weights_only=True)["step"] == 12
    train(halves(), tmp_path)
    assert torch.equal(weights(averaged_so_far(halves(), tmp_path)), undisturbed)


def test_nothing_was_reached_before_the_first_state(tmp_path: Path):
    with pytest.raises(SettingsError, match="train first"):
        averaged_so_far(halves(), tmp_path)


@pytest.mark.parametrize("changed", [{"steps": 30}, {"learning_rate": 0.02}, {"ema_decay": 0.5}])
def test_the_state_of_a_training_with_other_settings_is_refused(tmp_path: Path, changed: dict[str, float]):
    train(halves(), tmp_path)
    with pytest.raises(WrongCheckpoint, match="other data, network or settings"):
        train(halves(**changed), tmp_path)


def test_the_state_of_another_recipe_with_the_same_settings_is_refused(tmp_path: Path):
    train(halves(), tmp_path)
    with pytest.raises(WrongCheckpoint, match="other data, network or settings"):
        train(HalvesRecipe(name="quarters"), tmp_path)


def test_a_training_may_go_on_with_another_pace_of_saving_and_scoring(undisturbed: torch.Tensor, tmp_path: Path):
    stop(tmp_path, 9)
    gone_on = halves(checkpoint_every=5, score_every=3, log_every=1)
    assert torch.equal(weights(train(gone_on, tmp_path)), undisturbed)


@pytest.mark.parametrize("content", [b"no checkpoint", b"", b"PK\x03\x04"])
def test_a_state_that_is_none_is_named(content: bytes, tmp_path: Path):
    (tmp_path / STATE).write_bytes(content)
    with pytest.raises(WrongCheckpoint, match=rf"{STATE} is damaged"):
        train(halves(), tmp_path)


def test_the_state_of_an_earlier_release_is_not_taken_for_a_beginning(tmp_path: Path):
    torch.save({"network": {}, "step": 40}, tmp_path / EARLIER_STATE)
    with pytest.raises(WrongCheckpoint, match="earlier release"):
        train(halves(), tmp_path)


def test_without_a_moving_average_the_last_weights_are_what_is_kept(tmp_path: Path):
    network = train(halves(ema_decay=0.0), tmp_path)
    state = torch.load(tmp_path / STATE, weights_only=True)
    assert state["averaged"] is None
    assert all(torch.equal(value, state["task"][f"network.{name}"]) for name, value in network.state_dict().items())


def test_the_changes_to_samples_are_drawn_anew_for_every_step_and_alike_for_the_same(tmp_path: Path):
    class Listening(HalvesRecipe):
        def loss(self, network: torch.nn.Module, samples: object, generator: torch.Generator) -> torch.Tensor:
            heard.append(float(torch.rand(1, generator=generator)))
            return super().loss(network, samples, generator)

    runs = []
    for name in ("first", "again"):
        heard: list[float] = []
        train(Listening(halves(steps=6).settings), tmp_path / name)
        runs.append(heard)
    assert runs[0] == runs[1]
    assert len(set(runs[0])) == 6


def test_a_loss_that_is_no_number_names_the_chunks_and_keeps_the_last_state(tmp_path: Path):
    class Breaking(HalvesRecipe):
        def loss(self, network: torch.nn.Module, samples: object, generator: torch.Generator) -> torch.Tensor:
            loss = super().loss(network, samples, generator)
            calls.append(1)
            return loss / 0 if len(calls) == 11 else loss

    calls: list[int] = []
    with pytest.raises(LossNotFinite, match=r"loss is inf at step 10, batch of chunks 1 to 2"):
        train(Breaking(halves().settings), tmp_path)
    assert torch.load(tmp_path / STATE, weights_only=True)["step"] == 8


def test_held_out_samples_are_rendered_once_and_only_when_they_are_asked_for():
    class Counting(HalvesRecipe):
        def held_out(self) -> object:
            rendered.append(1)
            return super().held_out()

    rendered: list[int] = []
    recipe = Counting()
    scores, task = HeldOutScores(recipe), RecipeTask(recipe)
    assert not rendered
    assert scores(task.eval()) == scores(task.eval())
    assert len(rendered) == 1
