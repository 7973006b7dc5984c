"""What the indoor filters share whose network is loaded from a file of weights."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from pipeline.contract.arrays import Images
from pipeline.stages.indoor_clips.sampling import evenly_spaced
from pipeline.stages.indoor_clips.settings import Places365Settings, SmallIndoorSettings
from pipeline.stages.network_errors import as_settings_error

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from torch import Tensor

NetworkSettingsT = TypeVar("NetworkSettingsT", Places365Settings, SmallIndoorSettings)


class NetworkFilter(Generic[NetworkSettingsT]):
    """Finds the file that the settings name, once it is needed; a filter adds its name, its network and ``score``."""

    def __init__(self, settings: NetworkSettingsT) -> None:
        self._settings: NetworkSettingsT = settings

    @cached_property
    def weights(self) -> Mapping[str, str]:
        """SHA-256 of the checkpoint, by the name of its file; fetches it if need be.

        Raises:
            SettingsError: the checkpoint cannot be had.
        """
        with self._weights_in_question():
            return self._weights_now()

    def _weights_now(self) -> Mapping[str, str]:
        from models.weights.contents import checksum

        return {self._checkpoint.name: checksum(self._checkpoint)}

    @cached_property
    def _checkpoint(self) -> Path:
        from models.weights.cache import locate

        with self._weights_in_question():
            return locate(self._settings.weights)

    def _weights_in_question(self) -> "AbstractContextManager[None]":
        return as_settings_error(f"indoor weights {self._settings.weights}")

    def _pictures(self, rgb: Images) -> "Tensor":
        """Frames (m, 3, h, w) uint8 that the network is shown of a clip (n, h, w, 3) uint8."""
        import torch

        return torch.from_numpy(evenly_spaced(rgb, self._settings.frames)).permute(0, 3, 1, 2)
