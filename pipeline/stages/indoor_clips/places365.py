"""Indoor filter ``places365``: the paper's (section 3.1), a ResNet over 365 scene categories with indoor flags."""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.contract.arrays import Images
from pipeline.contract.records import IndoorScore, SceneCategory
from pipeline.stages.indoor_clips.network_filter import NetworkFilter
from pipeline.stages.indoor_clips.settings import Places365Settings
from pipeline.stages.networks import loaded

if TYPE_CHECKING:
    from models.indoor.places365 import Places365


class Places365Filter(NetworkFilter[Places365Settings]):
    """P(indoor) is the probability mass on the 160 indoor categories, averaged over frames; the top five are kept.

    Upstream counts votes among the ten most probable categories; the mass is the same idea without the steps.
    """

    name = "places365"

    def score(self, rgb: Images) -> IndoorScore:
        """Score a clip's frames (n, h, w, 3) uint8 RGB; categories are the most probable ones.

        Raises:
            SettingsError: the checkpoint cannot be had, is broken or belongs to another network.
        """
        from models.indoor.places365 import scene_categories

        mean = self._network.probabilities(self._pictures(rgb)).mean(dim=0).cpu().numpy()
        categories = scene_categories()
        indoor = float(mean[[category.indoor for category in categories]].sum())
        top = np.argsort(-mean, kind="stable")[: self._settings.categories_kept]
        return IndoorScore(indoor, categories=tuple(SceneCategory(categories[i].name, float(mean[i])) for i in top))

    @cached_property
    def _network(self) -> "Places365":
        path, device = self._checkpoint, self._settings.device
        with self._weights_in_question():
            return loaded(network_on, path, device, now=self._weights_now, noted=self.weights)


def network_on(path: Path, device: str | None) -> "Places365":
    """Load the network onto a device, by default the GPU where there is one."""
    from models.device import device_of
    from models.indoor.places365 import Places365

    place = device_of(device)
    return Places365.load(path).to(place)
