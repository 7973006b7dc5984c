"""What a backend's file of weights holds, as it goes on record beside the results."""

from collections.abc import Mapping
from pathlib import Path

from pipeline.stages.network_errors import as_settings_error

SAFETENSORS = "model.safetensors"

FileNames = str | tuple[str, ...]


def recorded_weights(weights: str, file_name: FileNames = SAFETENSORS) -> Mapping[str, str]:
    """Return the SHA-256 of the file behind a name or a path, by the file's name; fetches it if need be.

    file_name: of the file in a folder, the first that is there.

    Raises:
        SettingsError: there are no such weights.
        WeightsAway: no server gives them at the moment.
    """
    from models.weights.contents import checksum

    path = _located(weights, file_name)
    return {path.name: _described(weights).get(path.name) or checksum(path)}


def together(*parts: Mapping[str, str]) -> Mapping[str, str]:
    """Return what is recorded of several networks; of two files of one name the later one gets a number."""
    whole: dict[str, str] = {}
    for name, sha256 in (item for part in parts for item in part.items()):
        numbered = (name, *(f"{name} ({number})" for number in range(2, len(parts) + 1)))
        free = next(each for each in numbered if whole.get(each, sha256) == sha256)
        whole[free] = sha256
    return whole


def read_files(weights: str, file_name: FileNames = SAFETENSORS) -> Mapping[str, str]:
    """Return the same, and the files beside it in a folder that say what the tensors mean; raises the same."""
    return {**_described(weights), **recorded_weights(weights, file_name)}


def _described(weights: str) -> Mapping[str, str]:
    from models.weights.cache import is_named
    from models.weights.contents import contents

    return {} if is_named(weights) else contents(Path(weights))


def _located(weights: str, file_name: FileNames) -> Path:
    from models.weights.located import located

    with as_settings_error(f"reconstruction weights {weights}"):
        return located(weights, file_name)
