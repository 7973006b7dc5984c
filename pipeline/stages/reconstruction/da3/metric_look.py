"""Metres of frames whose cameras Depth Anything 3 has found: from DA3METRIC-LARGE, or from MoGe-2."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Float64s, Floats, Images
from pipeline.geometry.depth_scale import OWN_SPREAD
from pipeline.geometry.poses import resize_nearest
from pipeline.stages.network_errors import as_settings_error
from pipeline.stages.networks import loaded
from pipeline.stages.reconstruction.da3.settings import Da3Settings
from pipeline.stages.reconstruction.looks import MODEL_FILES, look
from pipeline.stages.reconstruction.metres import SeesMetres
from pipeline.stages.reconstruction.recorded import read_files, recorded_weights

if TYPE_CHECKING:
    from models.da3 import Da3Metric


@dataclass(frozen=True)
class MetricLook:
    """What DA3METRIC says of n frames.

    depth: (n, h, w) float32, metres of a camera whose focal length is one picture width, 0 = no value. solid: (n, h, w)
    bool, what is no sky, and no window onto it.
    """

    depth: Floats
    solid: NDArray[np.bool_]
    gives_metres: bool = True
    goes_with_focal: bool = True

    def seen_with(self, frames: NDArray[np.int64], focal: Float64s) -> tuple[Floats, NDArray[np.bool_]]:
        """Return metres (r, h, w) of some frames with focal lengths (r,), picture widths, and where they are solid."""
        return (self.depth[frames] * focal[:, None, None]).astype(np.float32), self.solid[frames]

    def facing(self, frames: NDArray[np.int64], focal: Float64s) -> None:
        """Return nothing: the network gives no normals."""

    def focal_ratio(self, frames: NDArray[np.int64], focal: Float64s) -> None:
        """Return nothing: the network takes the focal length that it is given."""

    def own_spread(self, frames: NDArray[np.int64]) -> float:  # noqa: ARG002 - it says nothing of single frames
        """Return what is assumed of any network's single frame."""
        return OWN_SPREAD


class _Asked(NamedTuple):
    """MoGe-2 as it is asked for metres alone."""

    weights: str
    device: str | None
    precision: str
    level: int = 0


def metric_weights(weights: str) -> Mapping[str, str]:
    """Return the SHA-256 of the network's file, by the file's name; fetches it if need be.

    Raises:
        SettingsError: there are no such weights.
        WeightsAway: no server gives them at the moment.
    """
    return recorded_weights(weights, MODEL_FILES)


def metric_looks(settings: Da3Settings, rgb: Images) -> Callable[[NDArray[np.int64], tuple[int, int]], SeesMetres]:
    """Return what asks the network of some frames (r,) of ``rgb`` (n, H, W, 3) uint8, for maps of a shape (h, w).

    The call raises:
        SettingsError: the weights are unknown, damaged or another network's, or the device's memory is too small.
        WeightsAway: no server gives the weights at the moment.
    """
    weights = settings.metric_weights or ""
    if _is_moge(weights):
        asked = _Asked(weights, settings.device, settings.precision)
        return lambda frames, shape: look(rgb[frames], shape, asked)
    return lambda frames, shape: metric_look(rgb[frames], shape, settings)


def metric_look(rgb: Images, shape: tuple[int, int], settings: Da3Settings) -> MetricLook:
    """Run DA3METRIC over frames (n, H, W, 3) uint8 RGB, one at a time; raises as the call of ``metric_looks``."""
    weights = settings.metric_weights or ""
    with as_settings_error(f"reconstruction weights {weights}"):
        asked = weights, settings.device, settings.precision
        network = loaded(metric_network_on, *asked, now=partial(read_files, weights))
        seen = [_one(network, frame, shape) for frame in rgb]
    return MetricLook(np.stack([depth for depth, _ in seen]), np.stack([solid for _, solid in seen]))


def _one(network: "Da3Metric", frame: Images, shape: tuple[int, int]) -> tuple[Floats, NDArray[np.bool_]]:
    """Return depth for a focal length of one picture width, and what is solid, both of ``shape``."""
    import torch

    from models.da3.metric import FOCAL_OF_OUTPUT, SKY_FROM
    from models.da3.preprocess import prepare_views
    from models.errors import OutOfDeviceMemory
    from models.memory import is_out_of_memory

    prepared = prepare_views([frame])
    try:
        with torch.inference_mode():
            view = network(prepared.images)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise OutOfDeviceMemory("not even one picture fits into the device's memory; take another device") from error
    depth, sky = (resize_nearest(part.float().cpu().numpy(), shape)[0] for part in (view.depth, view.sky))
    # pixels of the input that are a picture width, mean of both axes, which are scaled apart
    width = frame.shape[1] * float(np.mean(np.diagonal(prepared.to_input[0])[:2]))
    given = np.isfinite(depth) & (depth > 0)
    metres = np.where(given, depth, 0) * (width / FOCAL_OF_OUTPUT)
    return metres.astype(np.float32), given & (sky < SKY_FROM)


def _is_moge(weights: str) -> bool:
    """Tell whether weights are MoGe-2's, by their name or by what the file holds."""
    from models.weights.cache import is_named
    from models.weights.checkpoint import tensor_names
    from models.weights.families import MOGE, families_of, family_of_name
    from models.weights.located import located

    if is_named(weights):
        return family_of_name(weights) == MOGE
    with as_settings_error(f"reconstruction weights {weights}"):
        return MOGE in families_of(tensor_names(located(weights, MODEL_FILES)))


def metric_network_on(weights: str, device: str | None, precision: str) -> "Da3Metric":
    """Load DA3METRIC onto a device, by default the GPU where there is one, its body in the precision asked for."""
    import torch

    from models.da3 import Da3Metric
    from models.device import device_of, in_bfloat16

    place = device_of(device)
    network = Da3Metric.load(weights).to(place)
    return network.body_in(torch.bfloat16) if in_bfloat16(precision, place) else network
