"""Which teacher: by kind, with its weights."""

from typing import Any

from models.device import device_of
from models.errors import WrongWeights
from models.weights.located import located
from training.errors import WrongCheckpoint
from training.teachers.base import Teacher
from training.teachers.dinov2 import Dinov2Teacher
from training.teachers.efficientnet import EfficientNetTeacher
from training.teachers.san import SanTeacher
from training.teachers.san_stem import SanStemTeacher

PACKAGE = "package"
"""What the weights of ``efficientnet`` are called that come with a dependency of the project."""

KINDS: dict[str, Any] = {
    "dinov2": Dinov2Teacher,
    "efficientnet": EfficientNetTeacher,
    "san": SanTeacher,
    "san_stem": SanStemTeacher,
}


def check_kind(kind: str) -> None:
    """Raise ``WrongCheckpoint`` where there is no such teacher."""
    if kind not in KINDS:
        raise WrongCheckpoint(f"there is no teacher {kind!r}; choose one of {', '.join(KINDS)}")


def load_teacher(kind: str, path_or_name: str) -> Teacher:
    """Return the teacher ``dinov2``, ``efficientnet``, ``san`` or ``san_stem``, on the GPU where there is one.

    path_or_name: its weights, a file or a registered name; ``package`` for those that ``efficientnet`` comes with.

    Raises:
        WrongCheckpoint: no such kind, or weights that are damaged or of another network.
        WeightsUnavailable: a registered name that is neither cached nor reachable, or no such file.
    """
    check_kind(kind)
    try:
        from_package = kind == "efficientnet" and path_or_name == PACKAGE
        teacher: Teacher = KINDS[kind](None if from_package else located(path_or_name, "model.safetensors"))
    except WrongWeights as error:
        raise WrongCheckpoint(f"teacher {kind}: {error}") from error
    return teacher.to(device_of(None))
