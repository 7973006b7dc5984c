"""Command line: ``python -m training.small dust3r|san|indoor|moge``."""

from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from pydantic import ValidationError
from torch import nn

from pipeline.contract.errors import PipelineError, SettingsError
from pipeline.contract.values import laid_over, load_yaml
from training.fabric import rank_zero_only
from training.small.recipe import Recipe, averaged_so_far, train
from training.small.settings import (
    Dust3rTrainingSettings,
    IndoorTrainingSettings,
    MogeTrainingSettings,
    SanTrainingSettings,
    renamed,
)
from training.small.ship import ship

app = typer.Typer(
    help="Train the small networks that ship with the project.", add_completion=False, pretty_exceptions_enable=False
)
RECIPES = ("dust3r", "san", "indoor", "moge")


@app.command()
def run(
    name: Annotated[str, typer.Argument(help=f"Which network: {', '.join(RECIPES)}.")],
    settings: Annotated[Path | None, typer.Option(help="YAML file instead of the one that ships.")] = None,
    folder: Annotated[Path | None, typer.Option(help="Checkpoints and curve; .training/NAME by default.")] = None,
    values: Annotated[list[str] | None, typer.Option("--set", help="One value, as in --set loop.steps=100.")] = None,
    ship_now: Annotated[
        bool, typer.Option("--ship-now", help="Write the last checkpoint's weights, train no more.")
    ] = False,
) -> None:
    """Train one network; start it again after it was stopped, and it goes on where it was."""
    place = folder or Path(".training") / name
    try:
        recipe = recipe_of(name, settings, values or [])
        network = averaged_so_far(recipe, place) if ship_now else train(recipe, place)
    except PipelineError as error:
        typer.echo(f"{error.code}: {error}", err=True)
        raise typer.Exit(1) from error
    _ship(recipe, network, place)


@rank_zero_only
def _ship(recipe: Recipe[Any], network: nn.Module, folder: Path) -> None:
    """Write the weights, of several processes in the first."""
    typer.echo(f"weights: {ship(recipe, network, folder)}")


def recipe_of(name: str, file: Path | None = None, values: list[str] | None = None) -> Recipe[Any]:
    """Return the recipe of a network with the settings of a file, or with those that ship.

    Raises:
        SettingsError: no such recipe or file, or settings it cannot take.
    """
    from pipeline.contract.values import parsed

    if name not in RECIPES:
        raise SettingsError(f"there is no recipe {name!r}; choose one of {', '.join(RECIPES)}")
    try:
        text = file.read_text() if file else (files("training.small") / f"{name}.yaml").read_text()
        content = load_yaml(text) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError(f"cannot read the settings of {name}: {error}") from error
    if not isinstance(content, dict):
        raise SettingsError(f"the settings of {name} must be a mapping such as 'loop: {{steps: 100}}'")
    try:
        return _recipe(name, laid_over(renamed(content), renamed(parsed(values or []))))
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise SettingsError(f"settings of {name}: {problems}") from error
    except ValueError as error:
        raise SettingsError(f"settings of {name}: {error}") from error


def _recipe(name: str, content: dict[str, Any]) -> Recipe[Any]:
    if name == "indoor":
        from training.small.indoor import IndoorRecipe

        return IndoorRecipe(IndoorTrainingSettings.model_validate(content))
    if name == "san":
        from training.small.san import SanRecipe

        return SanRecipe(SanTrainingSettings.model_validate(content))
    if name == "moge":
        from training.small.moge import MogeRecipe

        return MogeRecipe(MogeTrainingSettings.model_validate(content))
    from training.small.dust3r import Dust3rRecipe

    return Dust3rRecipe(Dust3rTrainingSettings.model_validate(content))


if __name__ == "__main__":
    app()
