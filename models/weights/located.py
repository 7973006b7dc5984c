"""What reading a checkpoint of any network begins and ends with: where it lies, and what is said where it is wrong."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from torch import Tensor

from models.errors import WeightsUnavailable, WrongWeights
from models.weights.cache import SHIPPED, expected_checksum, is_named, locate, shipped
from models.weights.contents import checksum
from models.weights.families import check_name
from models.weights.registry import WEIGHTS


def located(path_or_name: str | Path, inside: str, *families: str) -> Path:
    """Return the file of weights behind a name, a file or a folder of the hub, fetching it if need be.

    inside: what the file is called in a folder. families: of which one is wanted, if the caller
    knows (``weights.families``).

    Raises:
        WrongWeights: a name of another family, of which nothing is fetched.
        WeightsUnavailable: a registered name that is neither cached nor reachable, or no such file.
    """
    if families and is_named(str(path_or_name)):
        check_name(str(path_or_name), *families)
    path = locate(path_or_name)
    path = path / inside if path.is_dir() else path
    if not path.is_file():
        raise WeightsUnavailable(f"there is no file {path}; known names: {', '.join([*shipped(), *WEIGHTS])}")
    return path


@contextmanager
def with_checksum(path: Path) -> Iterator[None]:
    """Add to what is wrong with a file its SHA-256 and the one on record."""
    try:
        yield
    except WrongWeights as error:
        is_ours = path.parent == SHIPPED
        known = expected_checksum(path) or ("that of the file in this package" if is_ours else "none on record")
        raise WrongWeights(f"{error} (sha256 of {path.name}: expected {known}, found {checksum(path)})") from error


def check_finite(state: Mapping[str, Tensor], origin: str) -> None:
    """Make sure that all tensors hold numbers.

    Raises:
        WrongWeights: one does not.
    """
    broken = next((name for name, tensor in state.items() if not tensor.isfinite().all()), None)
    if broken is not None:
        raise WrongWeights(f"{origin} holds numbers that are not finite, first in {broken}")
