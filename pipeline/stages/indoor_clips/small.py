"""Indoor filter ``small``: a small network, shipped with the project, that was trained on rendered houses."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.contract.arrays import Images
from pipeline.contract.records import IndoorScore
from pipeline.stages.indoor_clips.settings import SmallIndoorSettings
from pipeline.stages.network_errors import as_settings_error

if TYPE_CHECKING:
    from models.indoor.small import IndoorNet


class SmallIndoorFilter:
    """P(indoor) is the mean over a clip's frames of what the network says of each."""

    name = "small"

    def __init__(self, settings: SmallIndoorSettings) -> None:
        self._settings = settings

    @cached_property
    def weights(self) -> Mapping[str, str]:
        """SHA-256 of the weights, by the name of their file."""
        from models.weights.cache import checksum

        with as_settings_error(f"indoor weights {self._settings.weights}"):
            return {self._file.name: checksum(self._file)}

    def score(self, rgb: Images) -> IndoorScore:
        """Score a clip's frames (n, h, w, 3) uint8 RGB, n >= 1; evidence holds the least and most sure frame.

        Raises:
            SettingsError: the weights cannot be had, are broken or belong to another network.
        """
        import torch

        chosen = np.linspace(0, len(rgb) - 1, min(self._settings.frames, len(rgb))).round().astype(np.int64)
        with torch.inference_mode():
            probability = self._network(torch.from_numpy(rgb[chosen]).permute(0, 3, 1, 2)).sigmoid().numpy()
        evidence = {"lowest frame": float(probability.min()), "highest frame": float(probability.max())}
        return IndoorScore(float(probability.mean()), evidence)

    @cached_property
    def _network(self) -> "IndoorNet":
        from models.indoor.small import IndoorNet

        with as_settings_error(f"indoor weights {self._settings.weights}"):
            return IndoorNet.load(self._file)

    @cached_property
    def _file(self) -> Path:
        from models.weights.cache import locate

        with as_settings_error(f"indoor weights {self._settings.weights}"):
            return locate(self._settings.weights)
