"""Indoor filter ``places365``: the paper's (section 3.1), a ResNet over 365 scene categories with indoor flags."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.contract.arrays import Images
from pipeline.contract.records import IndoorScore, SceneCategory
from pipeline.stages.indoor_clips.settings import Places365Settings
from pipeline.stages.network_errors import as_settings_error

if TYPE_CHECKING:
    from models.indoor.places365 import Places365


class Places365Filter:
    """P(indoor) is the probability mass on the 160 indoor categories, averaged over frames; the top five are kept.

    Upstream counts votes among the ten most probable categories; the mass is the same idea without the steps.
    """

    name = "places365"

    def __init__(self, settings: Places365Settings) -> None:
        self._settings = settings

    @cached_property
    def weights(self) -> Mapping[str, str]:
        """SHA-256 of the checkpoint, by the name of its file; fetches it if need be."""
        from models.weights.cache import checksum

        with as_settings_error(f"indoor weights {self._settings.weights}"):
            return {self._checkpoint.name: checksum(self._checkpoint)}

    def score(self, rgb: Images) -> IndoorScore:
        """Score a clip's frames (n, h, w, 3) uint8 RGB; categories are the most probable ones.

        Raises:
            SettingsError: the checkpoint cannot be had, is broken or belongs to another network.
        """
        import torch

        from models.indoor.places365 import scene_categories

        chosen = np.linspace(0, len(rgb) - 1, min(self._settings.frames, len(rgb))).round().astype(np.int64)
        frames = torch.from_numpy(rgb[chosen]).permute(0, 3, 1, 2)
        mean = self._network.probabilities(frames).mean(dim=0).cpu().numpy()
        categories = scene_categories()
        indoor = float(mean[[category.indoor for category in categories]].sum())
        top = np.argsort(-mean, kind="stable")[: self._settings.categories_kept]
        return IndoorScore(indoor, categories=tuple(SceneCategory(categories[i].name, float(mean[i])) for i in top))

    @cached_property
    def _network(self) -> "Places365":
        from models.device import device_of
        from models.indoor.places365 import Places365

        with as_settings_error(f"indoor weights {self._settings.weights}"):
            return Places365.load(self._checkpoint).to(device_of(self._settings.device))

    @cached_property
    def _checkpoint(self) -> Path:
        from models.weights.cache import locate

        with as_settings_error(f"indoor weights {self._settings.weights}"):
            return locate(self._settings.weights)
