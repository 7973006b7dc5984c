"""What reading a checkpoint of any network begins and ends with: where it lies, and what is said where it is wrong."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from torch import Tensor

from models.errors import WeightsUnavailable, WrongWeights
from models.weights.cache import SHIPPED, expected_checksum, is_named, locate, shipped
from models.weights.checkpoint import read_state_dict
from models.weights.contents import checksum
from models.weights.families import check_name, check_tensors
from models.weights.registry import WEIGHTS

_OF_WEIGHTS = (".safetensors", ".pt", ".pth", ".bin")


def located(path_or_name: str | Path, inside: str | tuple[str, ...], *families: str) -> Path:
    """Return the file of weights behind a name, a file or a folder of the hub, fetching it if need be.

    inside: what the file is called in a folder, the first that is there. families: of which one is wanted, if the
    caller knows (``weights.families``).

    Raises:
        WrongWeights: a name of another family, of which nothing is fetched.
        WeightsUnavailable: a registered name that is neither cached nor reachable, or no such file.
    """
    if families and is_named(str(path_or_name)):
        check_name(str(path_or_name), *families)
    path = locate(path_or_name)
    names = (inside,) if isinstance(inside, str) else inside
    files = [path / name for name in names] if path.is_dir() else [path]
    found = next((file for file in files if file.is_file()), None)
    if found is None:
        known = f"known names: {', '.join([*shipped(), *WEIGHTS])}"
        raise WeightsUnavailable(f"there is no file {' nor '.join(map(str, files))}; {known}{_others(path)}")
    return found


def _others(folder: Path) -> str:
    """Say which files of weights a folder holds under other names."""
    held = sorted(file.name for file in folder.iterdir() if file.suffix in _OF_WEIGHTS) if folder.is_dir() else []
    return f"; the folder holds {', '.join(held)}: name the file that is meant by its path" if held else ""


@contextmanager
def with_checksum(path: Path) -> Iterator[None]:
    """Add to what is wrong with a file its SHA-256 and the one on record."""
    try:
        yield
    except WrongWeights as error:
        is_ours = path.parent == SHIPPED
        known = expected_checksum(path) or ("that of the file in this package" if is_ours else "none on record")
        raise WrongWeights(f"{error} (sha256 of {path.name}: expected {known}, found {checksum(path)})") from error


def state_of_family(path: Path, family: str) -> dict[str, Tensor]:
    """Read the named tensors of a file that holds a network of a family and nothing else.

    Raises:
        WrongWeights: it is missing, damaged, unsafe, or of another family, or holds numbers that are not finite.
    """
    state = read_state_dict(path)
    check_tensors(state, family, path.name)
    check_finite(state, path.name)
    return state


def check_finite(state: Mapping[str, Tensor], origin: str) -> None:
    """Make sure that all tensors hold numbers.

    Raises:
        WrongWeights: one does not.
    """
    broken = next((name for name, tensor in state.items() if not tensor.isfinite().all()), None)
    if broken is not None:
        raise WrongWeights(f"{origin} holds numbers that are not finite, first in {broken}")
