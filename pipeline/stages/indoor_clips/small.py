"""Indoor filter ``small``: a small network, shipped with the project, that was trained on rendered houses."""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.contract.arrays import Images
from pipeline.contract.records import IndoorScore
from pipeline.stages.indoor_clips.network_filter import NetworkFilter
from pipeline.stages.indoor_clips.settings import SmallIndoorSettings
from pipeline.stages.networks import loaded

if TYPE_CHECKING:
    from models.indoor.small import IndoorNet


class SmallIndoorFilter(NetworkFilter[SmallIndoorSettings]):
    """P(indoor) is the mean over a clip's frames of what the network says of each."""

    name = "small"

    def score(self, rgb: Images) -> IndoorScore:
        """Score a clip's frames (n, h, w, 3) uint8 RGB, n >= 1; evidence holds the least and most sure frame.

        Raises:
            SettingsError: the weights cannot be had, are broken or belong to another network.
        """
        import torch

        with torch.inference_mode():
            probability = self._network(self._pictures(rgb)).sigmoid().numpy()
        evidence = {"lowest frame": float(probability.min()), "highest frame": float(probability.max())}
        return IndoorScore(float(probability.mean()), evidence)

    @cached_property
    def _network(self) -> "IndoorNet":
        with self._weights_in_question():
            return loaded(network_in, self._checkpoint, now=self._weights_now, noted=self.weights)


def network_in(path: Path) -> "IndoorNet":
    """Load the network of a file."""
    from models.indoor.small import IndoorNet

    return IndoorNet.load(path)
