"""When a training has learned what it can: scores on what is held out no longer rise, and the best weights are kept."""

from pathlib import Path

import torch

from models.atomic import draft
from training.errors import WrongCheckpoint
from training.settings import LoopSettings
from training.state import TrainingState

BEST = "best.pt"
"""The weights of the best score so far, beside the state."""


def is_over(state: TrainingState, settings: LoopSettings, figure: str | None) -> bool:
    """Tell whether so many scores were no better than an earlier one; ``figure``: which curve decides."""
    values = _scores(state, settings, figure)
    return bool(values) and len(values) - 1 - values.index(max(values)) >= (settings.patience or 0)


def keep_if_best(state: TrainingState, settings: LoopSettings, figure: str | None, folder: Path) -> None:
    """Write the weights beside the state if their score is the best so far, the first of equal ones."""
    values = _scores(state, settings, figure)
    if values and values.index(max(values)) == len(values) - 1:
        with draft(folder / BEST) as part:
            torch.save(state.kept.state_dict(), part)


def take_best(state: TrainingState, settings: LoopSettings, figure: str | None, folder: Path) -> None:
    """Give the task the weights of its best score.

    Raises:
        WrongCheckpoint: they are gone, or damaged.
    """
    if not _scores(state, settings, figure):
        return
    try:
        state.kept.load_state_dict(torch.load(folder / BEST, map_location="cpu", weights_only=True))
    except Exception as error:
        message = f"{folder / BEST} is gone or damaged: delete the folder, and the run begins anew"
        raise WrongCheckpoint(message) from error


def _scores(state: TrainingState, settings: LoopSettings, figure: str | None) -> list[float]:
    if settings.patience is None or figure is None:
        return []
    return [value for _, value in state.curves.points.get(figure, [])]
