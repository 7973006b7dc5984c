"""Indoor filter ``places365``: the paper's (section 3.1), a ResNet over 365 scene categories with indoor flags."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from pipeline.contract.records import Images, IndoorScore, SceneCategory
from pipeline.stages.network_errors import as_settings_error

if TYPE_CHECKING:
    from models.indoor.places365 import Places365


class Places365Settings(BaseModel):
    """How a clip's frames are put to Places365."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    weights: str = Field(
        "resnet50_places365", min_length=1, description="name in the weights registry, or path of a checkpoint"
    )
    frames: int = Field(5, ge=1, le=64, description="frames of a clip, evenly spaced, whose probabilities are averaged")
    categories_kept: int = Field(5, ge=1, le=365, description="most probable scene categories kept for every clip")
    device: str | None = Field(None, description="torch device the network runs on; none: the GPU if there is one")


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
