"""Reading files of weights from outside: tensors only, never code."""

import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from models.errors import WrongWeights

_LOOKED_AT = 512

NetworkT = TypeVar("NetworkT", bound=nn.Module)


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """Read the named tensors of a ``.safetensors`` file or of any PyTorch checkpoint, on the CPU.

    PyTorch files go through the weights-only unpickler, which runs no code; files written under Python 2
    are understood. A state dict found under ``model`` or ``state_dict`` is taken from there, and the
    ``module.`` that data-parallel training puts before every name is dropped.

    Raises:
        WrongWeights: the file is missing, truncated, no checkpoint, or would run code.
    """
    return state_dict_in(read_file(path), path.name)


def read_file(path: Path) -> Mapping[str, Any]:
    """Read everything a file of weights holds, as ``read_state_dict`` does: tensors and plain values.

    Raises:
        WrongWeights: the file is missing, truncated, no checkpoint, or would run code.
    """
    with _no_web_page(path):
        return _read_safetensors(path) if path.suffix == ".safetensors" else _read_pytorch(path)


def tensor_names(path: Path) -> list[str]:
    """Return the names of the tensors in a file of weights, without reading a ``.safetensors`` file's numbers.

    Raises:
        WrongWeights: the file is missing, truncated, no checkpoint, or would run code.
    """
    if path.suffix != ".safetensors":
        return list(
            state_dict_in({name: one for name, one in read_file(path).items() if name != "model_config"}, path.name)
        )
    with _opened(path) as file:
        return list(file.keys())


def state_dict_in(stored: Mapping[str, Any], origin: str) -> dict[str, Tensor]:
    """Find the named tensors in what ``read_file`` gave.

    Raises:
        WrongWeights: something else than tensors lies among them.
    """
    for root in ("model", "state_dict"):
        if isinstance(stored.get(root), Mapping):
            stored = stored[root]
    not_tensors = [str(name) for name, value in stored.items() if not isinstance(value, Tensor)]
    if not_tensors or not stored:
        raise WrongWeights(f"{origin} is no state dict: {_first_few(not_tensors) or 'nothing in it'}")
    return {str(name).removeprefix("module."): value for name, value in stored.items()}


def for_inference(build: Callable[[], NetworkT], state: Mapping[str, Tensor], origin: str) -> NetworkT:
    """Return the network that ``build`` makes, with the tensors of ``state``, in evaluation mode and without gradients.

    It is built without memory of its own. Raises as ``load_strictly``.
    """
    with torch.device("meta"):
        network = build()
    load_strictly(network, state, origin)
    return network.eval().requires_grad_(requires_grad=False)


def load_strictly(network: nn.Module, state: Mapping[str, Tensor], origin: str) -> None:
    """Put every tensor of ``state`` into ``network``, as float32 and without copying; none may be missing or left over.

    Raises:
        WrongWeights: naming the entries of ``origin`` that are missing, unexpected, of another shape or no floats.
    """
    entries = network.state_dict()
    wanted = {name: tensor.shape for name, tensor in entries.items()}
    # Counters of batches seen came with PyTorch 0.4.1; older files do well without.
    missing = [name for name in wanted if name not in state and not name.endswith("num_batches_tracked")]
    complaints = {
        "missing": missing,
        "unexpected": [name for name in state if name not in wanted],
        "of another shape": [
            f"{name} {tuple(state[name].shape)} instead of {tuple(shape)}"
            for name, shape in wanted.items()
            if name in state and state[name].shape != shape
        ],
        "not floating point": [
            f"{name} {state[name].dtype}"
            for name, tensor in entries.items()
            if name in state and tensor.is_floating_point() and not state[name].is_floating_point()
        ],
    }
    found = "; ".join(f"{what}: {_first_few(names)}" for what, names in complaints.items() if names)
    if found:
        raise WrongWeights(f"{origin} does not fit this network. {found}")
    floats = {name: value.float() if value.is_floating_point() else value for name, value in state.items()}
    network.load_state_dict(floats, assign=True)


def count_numbered(names: Iterable[str], stack: str) -> int:
    """Count the numbered parts whose names begin with ``stack``."""
    return len({name.removeprefix(stack).split(".")[0] for name in names if name.startswith(stack)})


def read_metadata(path: Path) -> dict[str, str]:
    """Read the remarks in the header of a ``.safetensors`` file.

    Raises:
        WrongWeights: the file is missing, truncated or of another kind.
    """
    with _opened(path) as file:
        return dict(file.metadata() or {})


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open a ``.safetensors`` file for a look at its header; raises as ``read_metadata``."""
    from safetensors import SafetensorError, safe_open

    with _no_web_page(path):
        try:
            with safe_open(path, "pt") as file:
                yield file
        except (SafetensorError, OSError) as error:
            raise WrongWeights(f"{path.name} cannot be read: {error}") from error


@contextmanager
def _no_web_page(path: Path) -> Iterator[None]:
    """Say of what cannot be read, where that is so, that it is a web page, as hubs give to who is not signed in."""
    try:
        yield
    except WrongWeights as error:
        if not path.is_file():
            raise
        with path.open("rb") as file:
            begins = file.read(_LOOKED_AT).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
        if not begins.startswith((b"<!doctype html", b"<html")):
            raise
        advice = "download the file itself, not the page that shows it or asks to sign in"
        raise WrongWeights(f"{path.name} is a web page, not a checkpoint: {advice}") from error


def _read_safetensors(path: Path) -> dict[str, Any]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return dict(load_file(path))
    except (SafetensorError, OSError) as error:
        raise WrongWeights(f"{path.name} cannot be read: {error}") from error


def _read_pytorch(path: Path) -> Mapping[str, Any]:
    try:
        stored = _unpickle(path)
    except Exception as error:  # damaged bytes fail wherever the unpickler trips over them: KeyError, struct.error, ...
        reason = str(error).split("WeightsUnpickler error: ")[-1].strip().splitlines() or [type(error).__name__]
        raise WrongWeights(f"{path.name} cannot be read as tensors alone: {reason[0]}") from error
    if not isinstance(stored, Mapping):
        raise WrongWeights(f"{path.name} holds a {type(stored).__name__}, not named tensors")
    return stored


def _unpickle(path: Path) -> Any:
    mapped = zipfile.is_zipfile(path)
    try:
        return torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except UnicodeDecodeError:
        return torch.load(path, map_location="cpu", weights_only=True, encoding="latin1")


def _first_few(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
