"""Which teacher: by kind, with its weights."""

from typing import Any

from models.device import device_of
from models.errors import WrongWeights
from models.weights.cache import locate
from training.errors import WrongCheckpoint
from training.teachers.base import Teacher
from training.teachers.dinov2 import Dinov2Teacher
from training.teachers.efficientnet import EfficientNetTeacher
from training.teachers.san import SanTeacher
from training.teachers.san_stem import SanStemTeacher

PACKAGE = "package"
"""What the weights of ``efficientnet`` are called that come with a dependency of the project."""


def load_teacher(kind: str, path_or_name: str) -> Teacher:
    """Return the teacher ``dinov2``, ``efficientnet``, ``san`` or ``san_stem``, on the GPU where there is one.

    path_or_name: its weights, a file or a registered name; ``package`` for those that ``efficientnet`` comes with.

    Raises:
        WrongCheckpoint: no such kind, or weights that are damaged or of another network.
        WeightsUnavailable: a registered name that is neither cached nor reachable.
    """
    kinds: dict[str, Any] = {
        "dinov2": Dinov2Teacher,
        "efficientnet": EfficientNetTeacher,
        "san": SanTeacher,
        "san_stem": SanStemTeacher,
    }
    if kind not in kinds:
        message = f"there is no teacher {kind!r}; choose one of {', '.join(kinds)}"
        raise WrongCheckpoint(message)
    try:
        from_package = kind == "efficientnet" and path_or_name == PACKAGE
        teacher: Teacher = kinds[kind](None if from_package else locate(path_or_name))
    except WrongWeights as error:
        raise WrongCheckpoint(f"teacher {kind}: {error}") from error
    return teacher.to(device_of(None))
