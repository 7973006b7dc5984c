"""Indoor filter ``imagenet``: what stands in homes against what stands outdoors, by a network that knows the world."""

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Images
from pipeline.contract.records import IndoorScore, SceneCategory
from pipeline.stages.indoor_clips.sampling import evenly_spaced
from pipeline.stages.indoor_clips.settings import ImageNetIndoorSettings
from pipeline.stages.network_errors import as_settings_error
from pipeline.stages.networks import loaded

if TYPE_CHECKING:
    from models.imagenet.efficientnet_lite import EfficientNetLite0

CATEGORIES_KEPT = 5


class ImageNetFilter:
    """P(indoor) from the log ratio of household to outdoor and drawn classes, averaged over a clip's frames.

    It does not ask how the camera is held: upright edges are few where it looks down or is rolled, furniture is not.
    """

    name = "imagenet"
    sees_whole = True

    def __init__(self, settings: ImageNetIndoorSettings | None = None) -> None:
        self._settings = settings or ImageNetIndoorSettings()

    @cached_property
    def weights(self) -> Mapping[str, str]:
        """SHA-256 of the file of weights, by its name.

        Raises:
            SettingsError: the package that holds it is not installed.
        """
        from models.imagenet.efficientnet_lite import shipped_file
        from models.weights.registry import EFFICIENTNET_LITE0_SHA256

        with as_settings_error("indoor weights of ImageNet"):
            return {shipped_file().name: EFFICIENTNET_LITE0_SHA256}

    def score(self, rgb: Images) -> IndoorScore:
        """Score a clip's frames (n, h, w, 3) uint8 RGB, n >= 1, upright ones whole; categories: likeliest scenes.

        Raises:
            SettingsError: the weights are not there or are not those that are known.
        """
        from models.imagenet.sides import Side, class_sides, log_ratio, worn
        from pipeline.stages.indoor_clips.upright import turned_evidence

        frames = evenly_spaced(rgb, self._settings.frames)
        probabilities = self._probabilities(padded(frames))
        ratio, clothes = float(log_ratio(probabilities).mean()), float(worn(probabilities).mean())
        log_odds = (ratio - self._settings.balance) / self._settings.softness
        mean, sides = probabilities.mean(axis=0), class_sides()
        scenes = [index for index, (_, side) in sides.items() if side is not Side.WORN]
        top = sorted(scenes, key=lambda index: -mean[index])[:CATEGORIES_KEPT]
        categories = tuple(SceneCategory(sides[index][0], float(mean[index])) for index in top)
        indoor = float(1 / (1 + np.exp(-np.clip(log_odds, -50, 50))))
        turned = turned_evidence(frames, self._probabilities)
        return IndoorScore(indoor, {"log ratio": ratio, "worn": clothes}, categories, self._people(clothes), turned)

    def _probabilities(self, rgb: Images) -> NDArray[np.float64]:
        """Class probabilities (n, 1000) of frames (n, h, w, 3)."""
        import torch

        logits = self._network.logits(torch.from_numpy(rgb).permute(0, 3, 1, 2))
        probabilities: NDArray[np.float64] = logits.softmax(dim=-1).double().cpu().numpy()
        return probabilities

    def _people(self, clothes: float) -> str:
        most = self._settings.worn_max
        if clothes <= most:
            return ""
        return f"people fill the picture: what they wear has a probability of {clothes:.2f} > {most:.2f}"

    @cached_property
    def _network(self) -> "EfficientNetLite0":
        with as_settings_error("indoor weights of ImageNet"):
            return loaded(network_on, self._settings.device, now=lambda: self.weights)


def padded(rgb: Images) -> Images:
    """Return upright frames (n, h, w, 3), h > w, between black columns, as squares: squeezed, things lose shape."""
    height, width = rgb.shape[1:3]
    beside = max(0, height - width)
    return np.pad(rgb, ((0, 0), (0, 0), (beside // 2, beside - beside // 2), (0, 0)))


def network_on(device: str | None) -> "EfficientNetLite0":
    """Load the network onto a device, by default the GPU where there is one; it sees to its file's content itself."""
    from models.device import device_of
    from models.imagenet.efficientnet_lite import EfficientNetLite0

    place = device_of(device)
    return EfficientNetLite0.load().to(place)
