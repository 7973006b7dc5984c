"""Which teacher: by kind, with its weights."""

from typing import Any

from models.device import device_of
from models.errors import WrongWeights
from models.weights.cache import locate
from training.errors import WrongCheckpoint
from training.teachers.base import Teacher
from training.teachers.dinov2 import Dinov2Teacher
from training.teachers.san import SanTeacher
from training.teachers.san_stem import SanStemTeacher


def load_teacher(kind: str, path_or_name: str) -> Teacher:
    """Return the teacher ``dinov2``, ``san`` or ``san_stem``, on the GPU where there is one.

    path_or_name: its weights, a file or a registered name.

    Raises:
        WrongCheckpoint: no such kind, or weights that are damaged or of another network.
        WeightsUnavailable: a registered name that is neither cached nor reachable.
    """
    kinds: dict[str, Any] = {"dinov2": Dinov2Teacher, "san": SanTeacher, "san_stem": SanStemTeacher}
    if kind not in kinds:
        message = f"there is no teacher {kind!r}; choose one of {', '.join(kinds)}"
        raise WrongCheckpoint(message)
    try:
        teacher: Teacher = kinds[kind](locate(path_or_name)).to(device_of(None))
    except WrongWeights as error:
        raise WrongCheckpoint(f"teacher {kind}: {error}") from error
    return teacher
