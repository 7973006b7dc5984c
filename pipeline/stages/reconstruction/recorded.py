"""What a backend's file of weights holds, as it goes on record beside the results."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from pipeline.stages.network_errors import as_settings_error

SAFETENSORS = "model.safetensors"


def recorded_weights(weights: str, file_name: str = SAFETENSORS) -> Mapping[str, str]:
    """Return the SHA-256 of the file behind a name or a path, by the file's name; fetches it if need be.

    file_name: of the file in a folder.

    Raises:
        SettingsError: there are no such weights.
        WeightsAway: no server gives them at the moment.
    """
    from models.weights.cache import is_named

    return _of_name(weights) if is_named(weights) else _of_path(weights, file_name)


def sha256_of(weights: str, file_name: str = SAFETENSORS) -> str:
    """Return the SHA-256 alone; raises as ``recorded_weights``."""
    (found,) = recorded_weights(weights, file_name).values()
    return found


@lru_cache(maxsize=2)
def _of_name(weights: str) -> Mapping[str, str]:
    """Return what verified weights hold, which are read once in a process."""
    from models.weights.contents import checksum

    path = _located(weights, SAFETENSORS)
    return {path.name: checksum(path)}


def _of_path(weights: str, file_name: str) -> Mapping[str, str]:
    from models.weights.contents import checksum, contents

    path = _located(weights, file_name)
    return {path.name: contents(Path(weights)).get(path.name) or checksum(path)}


def _located(weights: str, file_name: str) -> Path:
    from models.weights.located import located

    with as_settings_error(f"reconstruction weights {weights}"):
        return located(weights, file_name)
