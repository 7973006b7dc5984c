import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from pipeline.contract.errors import SettingsError
from tests.training.small.tiny_recipe import LOOP, HalvesRecipe
from training.small.loop import ChunkStream, averaged_so_far, train
from training.small.ship import ship

SCRIPT = """
import sys
from pathlib import Path
from pipeline.errors import SettingsError
from tests.training.small.tiny_recipe import HalvesRecipe
from training.small.loop import train
train(HalvesRecipe(), Path(sys.argv[1]))
"""


def weights(network: torch.nn.Module) -> torch.Tensor:
    return torch.cat([value.float().flatten() for value in network.state_dict().values()])


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> torch.Tensor:
    return weights(train(HalvesRecipe(), tmp_path_factory.mktemp("undisturbed")))


def test_the_same_recipe_gives_the_same_weights(undisturbed: torch.Tensor, tmp_path: Path):
    assert torch.equal(weights(train(HalvesRecipe(), tmp_path)), undisturbed)


def test_another_seed_gives_other_weights(undisturbed: torch.Tensor, tmp_path: Path):
    other = HalvesRecipe(loop=LOOP.model_copy(update={"seed": 1}))
    assert not torch.equal(weights(train(other, tmp_path)), undisturbed)


def test_a_training_killed_without_warning_goes_on_to_the_same_weights(undisturbed: torch.Tensor, tmp_path: Path):
    running = subprocess.Popen([sys.executable, "-c", SCRIPT, str(tmp_path)])
    while not (tmp_path / "checkpoint.pt").exists() and running.poll() is None:
        time.sleep(0.01)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"] >= LOOP.save_every
    assert torch.equal(weights(train(HalvesRecipe(), tmp_path)), undisturbed)


def test_rendering_in_other_processes_changes_nothing(undisturbed: torch.Tensor, tmp_path: Path):
    beside = HalvesRecipe(loop=LOOP.model_copy(update={"workers": 2}))
    assert torch.equal(weights(train(beside, tmp_path)), undisturbed)


def test_a_finished_training_is_read_back(undisturbed: torch.Tensor, tmp_path: Path):
    train(HalvesRecipe(), tmp_path)
    written = (tmp_path / "checkpoint.pt").stat().st_mtime_ns
    assert torch.equal(weights(train(HalvesRecipe(), tmp_path)), undisturbed)
    assert (tmp_path / "checkpoint.pt").stat().st_mtime_ns == written


def test_training_learns_and_draws_its_curve(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    recipe = HalvesRecipe(loop=LOOP.model_copy(update={"steps": 120, "score_every": 40}))
    train(recipe, tmp_path)
    curve = torch.load(tmp_path / "checkpoint.pt", weights_only=True)["curve"]
    assert [point["step"] for point in curve] == [40, 80, 120]
    assert curve[-1]["scores"]["accuracy"] > 0.9
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
    assert "halves step 120: accuracy" in capsys.readouterr().out


def test_batches_come_from_the_newest_chunks_and_hold_no_row_twice():
    stream = ChunkStream(HalvesRecipe(), 0)
    batches = [stream.batch(step) for step in range(LOOP.steps)]
    newest = [HalvesRecipe().chunk(index).pictures.flatten(1) for index in (3, 4)]
    rows = batches[-1].pictures.flatten(1)
    assert len(rows.unique(dim=0)) == LOOP.batch
    assert all((torch.cat(newest) == row).all(dim=1).any() for row in rows)


def test_a_stream_that_starts_late_gives_the_same_batches():
    early, late = ChunkStream(HalvesRecipe(), 0), ChunkStream(HalvesRecipe(), 13)
    batches = [early.batch(step) for step in range(15)]
    for step in (13, 14):
        assert torch.equal(late.batch(step).pictures, batches[step].pictures)


def test_weights_are_shipped_in_half_precision_with_what_builds_the_network(tmp_path: Path):
    recipe = HalvesRecipe()
    network = recipe.network()
    with safe_open(ship(recipe, network, tmp_path), "pt") as file:
        assert file.metadata()["config"] == recipe.network_config()
        assert {file.get_tensor(name).dtype for name in file.keys()} == {torch.float16}  # noqa: SIM118
        assert torch.equal(file.get_tensor("0.weight"), network[0].weight.detach().half())


@pytest.mark.parametrize("content", [b"no checkpoint", b""])
def test_a_checkpoint_that_is_none_is_named(content: bytes, tmp_path: Path):
    (tmp_path / "checkpoint.pt").write_bytes(content)
    with pytest.raises(SettingsError, match=r"checkpoint\.pt does not belong"):
        train(HalvesRecipe(), tmp_path)


def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path):
    torch.save({"network": torch.nn.Linear(2, 2).state_dict()}, tmp_path / "checkpoint.pt")
    with pytest.raises(SettingsError, match="name another folder"):
        train(HalvesRecipe(), tmp_path)


def test_what_was_reached_so_far_can_be_had(undisturbed: torch.Tensor, tmp_path: Path):
    train(HalvesRecipe(), tmp_path)
    assert torch.equal(weights(averaged_so_far(HalvesRecipe(), tmp_path)), undisturbed)
