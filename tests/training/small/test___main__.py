"""``python -m training.small``: recipes by name, settings by file and by value, and mistakes in one line."""

from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from models.indoor.small import IndoorNet
from pipeline.contract.errors import SettingsError
from training.small.__main__ import RECIPES, app, recipe_of


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_that_ship_can_be_read(name: str):
    recipe = recipe_of(name, values=["loop.steps=7"])
    assert recipe.name == name
    assert recipe.settings.loop.steps == 7
    assert sum(p.numel() for p in recipe.network().parameters()) < 40e6


@pytest.mark.parametrize("values", [["loop.steps=0"], ["loop.speed=3"], ["what"]])
def test_wrong_settings_are_named(values: list[str]):
    with pytest.raises(SettingsError, match=r"steps|speed|what"):
        recipe_of("indoor", values=values)


def test_settings_that_are_no_mapping_are_refused(tmp_path: Path):
    (tmp_path / "list.yaml").write_text("- steps")
    with pytest.raises(SettingsError, match="must be a mapping"):
        recipe_of("indoor", tmp_path / "list.yaml")


def test_there_is_no_other_recipe():
    done = CliRunner().invoke(app, ["gan"])
    assert done.exit_code == 1
    assert "dust3r, san, indoor" in done.output


def test_nothing_is_shipped_before_it_is_trained(tmp_path: Path):
    done = CliRunner().invoke(app, ["indoor", "--ship-now", "--folder", str(tmp_path)])
    assert done.exit_code == 1
    assert "train first" in done.output
    assert not list(tmp_path.glob("*.safetensors"))


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(SettingsError, match="cannot read the settings of san"):
        recipe_of("san", tmp_path / "nowhere.yaml")


def test_a_file_that_is_no_yaml_is_named(tmp_path: Path):
    (tmp_path / "broken.yaml").write_text("loop: {steps: [1")
    with pytest.raises(SettingsError, match="cannot read the settings of indoor"):
        recipe_of("indoor", tmp_path / "broken.yaml")


def test_settings_of_a_file_are_laid_over_nothing_but_what_recipes_have(tmp_path: Path):
    (tmp_path / "own.yaml").write_text(
        "loop: {steps: 9, batch_size: 3, learning_rate: 0.1}\nchunks: {steps: 2, kept: 1}\ntexel: 0.3"
    )
    recipe = recipe_of("indoor", tmp_path / "own.yaml", ["loop.seed=4"])
    assert (recipe.settings.loop.steps, recipe.settings.loop.seed, recipe.settings.loop.warm_up) == (9, 4, 100)


def test_weights_are_shipped_when_the_training_is_done(tmp_path: Path):
    short = ("loop.steps=2", "loop.batch_size=2", "loop.workers=0", "chunks.steps=2", "houses_a_chunk=1")
    tiny = ("views_a_house=4", "texel=0.3", "loop.score_every=100000")
    words = [word for value in (*short, *tiny) for word in ("--set", value)]
    done = CliRunner().invoke(app, ["indoor", "--folder", str(tmp_path), *words])
    assert done.exit_code == 0, done.output
    assert f"weights: {tmp_path / 'indoor_small.safetensors'}" in done.output
    trained = IndoorNet.load(str(tmp_path / "indoor_small.safetensors"))
    assert trained(torch.zeros(1, 3, 72, 96, dtype=torch.uint8)).isfinite().all()
    (tmp_path / "indoor_small.safetensors").unlink()
    again = CliRunner().invoke(app, ["indoor", "--folder", str(tmp_path), "--ship-now", *words])
    assert again.exit_code == 0, again.output
    assert (tmp_path / "indoor_small.safetensors").exists()
    other = CliRunner().invoke(app, ["indoor", "--folder", str(tmp_path), *words, "--set", "loop.seed=1"])
    assert other.exit_code == 1
    assert "other data, network or settings" in other.output
