"""What a small network's training is made of, and how it runs on the one loop.

Every step is a function of the recipe, the step's number and the weights before it: which chunks of rendered views it
draws from, which rows, how they are changed.
"""

from pathlib import Path
from typing import Any, Generic, Protocol

import torch
from torch import Tensor, nn

from pipeline.contract.errors import SettingsError
from training.loop import Training, fabric_for, state_of
from training.loop import train as train_task
from training.small.chunks import ChunkBatch, ChunkBatches
from training.small.progress import ProgressLine
from training.small.samples import S
from training.small.settings import RecipeSettings
from training.weight_files import with_files


class Recipe(Protocol[S]):
    """What a training is made of; it is sent to the processes that render."""

    @property
    def name(self) -> str:
        """What its weights are called by."""
        ...

    @property
    def settings(self) -> RecipeSettings:
        """Everything that decides what is trained, how long and how fast."""
        ...

    def network(self) -> nn.Module:
        """Return a fresh network."""
        ...

    def network_config(self) -> str:
        """Return the network's sizes as JSON, as its weights' metadata hold them."""
        ...

    def chunk(self, index: int) -> S:
        """Return chunk ``index`` of the endless training set, on the CPU."""
        ...

    def held_out(self) -> S:
        """Return what the curve is drawn on: frames of tours that are no part of the training set."""
        ...

    def loss(self, network: nn.Module, samples: S, generator: torch.Generator) -> Tensor:
        """Return the loss of a batch, changed at random by ``generator``."""
        ...

    def scores(self, network: nn.Module, held_out: S) -> dict[str, float]:
        """Return figures of a network in evaluation mode; the first is the one that matters."""
        ...


class RecipeTask(nn.Module, Generic[S]):
    """A recipe's network with its loss."""

    def __init__(self, recipe: Recipe[S]) -> None:
        super().__init__()
        self.network = recipe.network()
        self._recipe = recipe

    def forward(self, batch: ChunkBatch[S]) -> dict[str, Tensor]:
        """Return the loss under ``total``."""
        return {"total": self._recipe.loss(self.network, batch.samples, batch.generator())}


class HeldOutScores(Generic[S]):
    """Scores of a recipe's task on what is held out, which is rendered when it is first asked for."""

    def __init__(self, recipe: Recipe[S]) -> None:
        self._recipe = recipe
        self._held_out: S | None = None

    def __call__(self, task: nn.Module) -> dict[str, float]:
        """Return the figures of a task in evaluation mode."""
        if self._held_out is None:
            self._held_out = self._recipe.held_out()
        network: Any = task.network
        return self._recipe.scores(network, self._held_out)


def train(recipe: Recipe[S], folder: Path) -> nn.Module:
    """Train to the end, from the last state in ``folder`` if there is one; return the averaged network.

    Raises:
        WrongCheckpoint: the state is damaged, or of another training.
        LossNotFinite: the loss or a gradient is.
    """
    loop, line = recipe.settings.loop, ProgressLine(recipe.name, recipe.settings.loop)
    training = training_of(recipe)
    trained: Any = train_task(training, loop, folder, fabric_for(loop, folder, line), line).task
    network: nn.Module = trained.network
    return network


def averaged_so_far(recipe: Recipe[S], folder: Path) -> nn.Module:
    """Return the averaged network of the last state in ``folder``.

    Raises:
        WrongCheckpoint: the state is damaged, or of another training.
        SettingsError: there is none.
    """
    loop = recipe.settings.loop
    state = state_of(training_of(recipe), loop, folder, fabric_for(loop, folder))
    if not state.step:
        raise SettingsError(f"there is no checkpoint in {folder}; train first")
    kept: Any = state.kept.eval()
    network: nn.Module = kept.network
    return network


def training_of(recipe: Recipe[S]) -> Training:
    """Return a recipe as the loop takes it, with a network from the seed."""
    torch.manual_seed(recipe.settings.loop.seed)
    settings = {"recipe": recipe.name, **recipe.settings.model_dump(mode="json", exclude={"loop"})}
    identity = with_files(settings, start=settings.get("start"))
    return Training(RecipeTask(recipe), ChunkBatches(recipe, recipe.settings.chunks), identity, HeldOutScores(recipe))
