"""Reading checkpoints of MoGe-2: ``model.pt`` as released, or ``.safetensors``, alone or in a folder of the hub."""

from pathlib import Path

from torch import Tensor

from models.moge.config import MogeConfig, config_of
from models.weights.checkpoint import read_file, read_metadata, read_state_dict, state_dict_in
from models.weights.families import MOGE, check_tensors
from models.weights.located import check_finite, located, with_checksum

FILES = ("model.pt", "model.safetensors")
"""What the file is called in a folder: as released, and as others save the same tensors."""


def read_checkpoint(path_or_name: str | Path) -> tuple[MogeConfig, dict[str, Tensor]]:
    """Read the sizes and the tensors of a network.

    Raises:
        WrongWeights: damaged, unsafe or another network's file, with its checksum and the one on record.
        WeightsUnavailable: a registered name that is neither cached nor reachable, or no such file.
    """
    path = located(path_or_name, FILES, MOGE)
    with with_checksum(path):
        stored = read_file(path)
        state = state_dict_in({name: value for name, value in stored.items() if name != "model_config"}, path.name)
        check_tensors(state, MOGE, path.name)
        config = config_of({name: tuple(tensor.shape) for name, tensor in state.items()}, stored.get("model_config"))
        check_finite(state, path.name)
    return config, state


def small_checkpoint(path_or_name: str | Path) -> tuple[dict[str, str], dict[str, Tensor]] | None:
    """Read the metadata and the tensors of a small network; None where it is a file of another kind.

    Raises:
        WrongWeights: damaged, or holding numbers that are not finite.
        WeightsUnavailable: a registered name that is neither cached nor reachable, or no such file.
    """
    path = located(path_or_name, FILES, MOGE)
    if path.suffix != ".safetensors":
        return None
    with with_checksum(path):
        metadata = read_metadata(path)
        if "config" not in metadata:
            return None
        state = read_state_dict(path)
        check_tensors(state, MOGE, path.name)
        check_finite(state, path.name)
    return metadata, state
