"""Trained networks as folders: ``network.safetensors`` and ``network.json``, which says what they are."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors.torch import save_file

from models.atomic import draft
from models.errors import WrongWeights
from models.symphonies import PRESETS, Symphonies, SymphoniesConfig
from models.weights.checkpoint import load_strictly, read_state_dict
from training.errors import WrongCheckpoint
from training.settings import DistillSettings, FinetuneSettings, LanguageSettings
from training.weight_files import same_run

WEIGHTS = "network.safetensors"
DESCRIPTION = "network.json"
HEADS = ("head.", "language_head.")
MODELS: Mapping[str, type[DistillSettings | FinetuneSettings | LanguageSettings]] = {
    "distilled": DistillSettings,
    "supervised": FinetuneSettings,
    "language": LanguageSettings,
}
"""Settings by task."""


class NetworkDescription(BaseModel):
    """What a trained network is: its sizes, what it was trained on and how.

    data: origin of the dataset, with its version or place. task: ``distilled``, ``supervised`` or ``language``.
    settings: of the run, with what tells its files and samples from others. text_weights: of the text network whose
    vectors a language head gives, SHA-256 by file name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    network: SymphoniesConfig
    task: str
    data: str
    settings: dict[str, Any]
    steps: int
    text_weights: dict[str, str] = {}


def save_network(folder: Path, network: Symphonies, description: NetworkDescription) -> None:
    """Write a network; the description comes last, so that a folder with one is complete."""
    folder.mkdir(parents=True, exist_ok=True)
    with draft(folder / WEIGHTS) as part:
        save_file({name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}, part)
    with draft(folder / DESCRIPTION) as note:
        note.write_text(json.dumps({**description.model_dump(), "network": asdict(network.config)}, indent=1))


def describe(folder: Path) -> NetworkDescription:
    """Return what the network of a folder is.

    Raises:
        WrongCheckpoint: there is none, or its description does not read.
    """
    try:
        return NetworkDescription.model_validate_json((folder / DESCRIPTION).read_bytes())
    except OSError as error:
        message = f"{folder} holds no finished network ({DESCRIPTION} is missing): train it first"
        raise WrongCheckpoint(message) from error
    except ValidationError as error:
        message = f"{folder / DESCRIPTION} describes no network of this project: {error.errors()[0]['msg']}"
        raise WrongCheckpoint(message) from error


def finished_network(folder: Path, task: str, data: str, settings: Mapping[str, Any]) -> NetworkDescription | None:
    """Return what a folder holds if it is exactly what is wanted, None where nothing is finished there.

    task, data, settings: as in ``NetworkDescription``, of the network that is wanted.

    Raises:
        WrongCheckpoint: it holds the network of another run, which is not overwritten.
    """
    if not (folder / DESCRIPTION).exists():
        return None
    found = describe(folder)
    noted, wanted = {"data": found.data, **found.settings}, {"data": data, **settings}
    if found.task != task or not same_run(comparable(found.task, noted), comparable(task, wanted)):
        message = f"{folder} holds the network of a run on other data or settings: name another folder, or delete it"
        raise WrongCheckpoint(message)
    return found


def check_nothing_strange(folder: Path) -> None:
    """Make sure that what a training would replace is of one: its state lies beside it until its description does.

    Raises:
        WrongCheckpoint: it is not; it stays.
    """
    from training.state import STATE

    strange = next((name for name in (WEIGHTS, "curves.png") if (folder / name).exists()), None)
    if strange and not (folder / STATE).exists():
        raise WrongCheckpoint(f"{folder} holds a {strange} that no training of this program left: name another folder")


def comparable(task: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a run as today's models read them, without what does not decide its result.

    A network that was made before a setting existed is the one that its default makes. Settings that today's models
    cannot read stay as they are.
    """
    model = MODELS.get(task)
    if model is None:
        return dict(settings)
    others = {name: value for name, value in settings.items() if name not in model.model_fields}
    try:
        read = model.model_validate({name: value for name, value in settings.items() if name not in others})
        if others.get("start") is not None:
            start = NetworkDescription.model_validate(others["start"])
            others["start"] = {**start.model_dump(mode="json"), "settings": comparable(start.task, start.settings)}
    except ValidationError:
        return dict(settings)
    return {**others, **read.model_dump(mode="json", exclude={"loop"}), "loop": read.loop.decisive()}


def load_network(folder: Path) -> Symphonies:
    """Return the network of a folder, in evaluation mode.

    Raises:
        WrongCheckpoint: there is none, or its weights are damaged or do not fit its description.
    """
    config = describe(folder).network
    try:
        state = read_state_dict(folder / WEIGHTS)
        with torch.device("meta"):  # sizes that are not those of the weights are refused before they take memory
            load_strictly(Symphonies(config), state, str(folder))
        network = Symphonies(config)
        load_strictly(network, state, str(folder))
    except WrongWeights as error:
        raise WrongCheckpoint(str(error)) from error
    except (RuntimeError, ValueError, TypeError, ArithmeticError, AssertionError) as error:
        raise WrongCheckpoint(f"{folder / DESCRIPTION} gives sizes that no network has: {error}") from error
    return network.eval()


def new_network(preset: str, outputs: int, language: int = 0) -> Symphonies:
    """Return a network of a preset with random start values; outputs, language: widths of its heads.

    Raises:
        WrongCheckpoint: there is no such preset.
    """
    check_preset(preset)
    return Symphonies(replace(PRESETS[preset], outputs=outputs, language=language))


def check_preset(preset: str) -> None:
    """Raise ``WrongCheckpoint`` where there is no such preset."""
    if preset not in PRESETS:
        raise WrongCheckpoint(f"there is no preset {preset!r}; choose one of {', '.join(PRESETS)}")


def networks_of(folders: Sequence[Path]) -> dict[str, Symphonies]:
    """Return networks whose features are asked for, by their folders; without any, one of random values, ``small``.

    Raises:
        WrongCheckpoint: as ``load_network``.
    """
    if folders:
        return {str(folder): load_network(folder) for folder in folders}
    torch.manual_seed(0)
    return {"random values": new_network("small", outputs=1).eval()}


def start_from(network: Symphonies, folder: Path) -> None:
    """Give a network everything of a trained one but its heads.

    Raises:
        WrongCheckpoint: the trained one has other sizes, or does not load.
    """
    trained = load_network(folder)
    theirs, ours = (asdict(replace(config, outputs=0, language=0)) for config in (trained.config, network.config))
    if theirs != ours:
        differing = {name: (theirs[name], ours[name]) for name in ours if theirs[name] != ours[name]}
        message = f"{folder} is of another preset: " + ", ".join(
            f"{name} {there} there, {here} here" for name, (there, here) in differing.items()
        )
        raise WrongCheckpoint(message)
    kept = {name: value for name, value in trained.state_dict().items() if not name.startswith(HEADS)}
    network.load_state_dict(kept, strict=False)
