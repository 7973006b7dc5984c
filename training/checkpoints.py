"""Trained networks as folders: ``network.safetensors`` and ``network.json``, which says what they are."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors.torch import save_file

from models.errors import WrongWeights
from models.symphonies import PRESETS, Symphonies, SymphoniesConfig
from models.weights.checkpoint import load_strictly, read_state_dict
from training.errors import WrongCheckpoint

WEIGHTS = "network.safetensors"
DESCRIPTION = "network.json"
HEADS = ("head.", "language_head.")


class Description(BaseModel):
    """What a trained network is: its sizes, what it was trained on and how.

    data: origin of the dataset, with its version. task: ``distilled``, ``supervised`` or ``language``. settings: of
    the run. text_weights: of the text network whose vectors a language head gives, SHA-256 by file name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    network: SymphoniesConfig
    task: str
    data: str
    settings: dict[str, Any]
    steps: int
    text_weights: dict[str, str] = {}


def save_network(folder: Path, network: Symphonies, description: Description) -> None:
    """Write a network; the description comes last, so that a folder with one is complete."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"{WEIGHTS}.part"
    save_file({name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}, draft)
    draft.replace(folder / WEIGHTS)
    note = folder / f"{DESCRIPTION}.part"
    note.write_text(json.dumps({**description.model_dump(), "network": asdict(network.config)}, indent=1))
    note.replace(folder / DESCRIPTION)


def describe(folder: Path) -> Description:
    """Return what the network of a folder is.

    Raises:
        WrongCheckpoint: there is none, or its description does not read.
    """
    try:
        return Description.model_validate_json((folder / DESCRIPTION).read_bytes())
    except OSError as error:
        message = f"{folder} holds no finished network ({DESCRIPTION} is missing): train it first"
        raise WrongCheckpoint(message) from error
    except ValidationError as error:
        message = f"{folder / DESCRIPTION} describes no network of this project: {error.errors()[0]['msg']}"
        raise WrongCheckpoint(message) from error


def load_network(folder: Path) -> Symphonies:
    """Return the network of a folder, in evaluation mode.

    Raises:
        WrongCheckpoint: there is none, or its weights are damaged or do not fit its description.
    """
    network = Symphonies(describe(folder).network)
    try:
        load_strictly(network, read_state_dict(folder / WEIGHTS), str(folder))
    except WrongWeights as error:
        raise WrongCheckpoint(str(error)) from error
    return network.eval()


def new_network(preset: str, outputs: int, language: int = 0) -> Symphonies:
    """Return a network of a preset with random start values; outputs, language: widths of its heads.

    Raises:
        WrongCheckpoint: there is no such preset.
    """
    if preset not in PRESETS:
        message = f"there is no preset {preset!r}; choose one of {', '.join(PRESETS)}"
        raise WrongCheckpoint(message)
    return Symphonies(replace(PRESETS[preset], outputs=outputs, language=language))


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
