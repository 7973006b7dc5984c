"""Reconstruction by Depth Anything 3: depth and cameras of all frames of a clip in one go, without pairs or alignment.

The released weights of SMALL and BASE are Apache-2.0. Cameras are what the network says, adjusted to matches where
those tell (``refinement``).
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Float64s, Images
from pipeline.contract.errors import InconsistentReconstruction
from pipeline.contract.padding import shown_share
from pipeline.contract.records import Reconstruction
from pipeline.geometry.poses import moved
from pipeline.stages.network_errors import as_settings_error
from pipeline.stages.networks import loaded
from pipeline.stages.reconstruction.colmap.pairs import MatchedPair
from pipeline.stages.reconstruction.colmap.settings import ColmapSettings
from pipeline.stages.reconstruction.da3.doubt import doubt_note, signs_of_network
from pipeline.stages.reconstruction.da3.metric_look import metric_looks, metric_weights
from pipeline.stages.reconstruction.da3.predict import EVERY, Prediction, predict
from pipeline.stages.reconstruction.da3.refinement import refined
from pipeline.stages.reconstruction.da3.settings import Da3Settings
from pipeline.stages.reconstruction.da3.windows import Joined, joined
from pipeline.stages.reconstruction.dust3r.lens import check_lens
from pipeline.stages.reconstruction.fusion_settings import FusionSettings
from pipeline.stages.reconstruction.metres import of_another_network
from pipeline.stages.reconstruction.network import NetworkReconstructor, dropped_notes
from pipeline.stages.reconstruction.recorded import read_files, together

if TYPE_CHECKING:
    from models.da3 import Da3

FOCAL_BOUNDS = (0.25, 5.0)
"""Focal lengths that a camera has, in widths of the picture: fields of view from 127 to 11 degrees."""

_TO_DEVIATION = 1.4826
"""From a median absolute deviation to the standard deviation of a normal distribution."""

UNCHECKED = (
    "how probable it is that cameras and depth are right is not known: probabilities were learned of cameras that "
    "matching found, and of none of this network's"
)


class Da3Reconstructor(NetworkReconstructor[Da3Settings]):
    """Cameras and depth of a clip from Depth Anything 3."""

    name = "da3"

    @property
    def weights(self) -> Mapping[str, str]:
        """SHA-256 of the files of weights; fetches them if need be; raises as ``NetworkReconstructor.weights``."""
        metric = self.settings.metric_weights
        return super().weights if metric is None else together(super().weights, metric_weights(metric))

    def reconstruct(self, rgb: Images, scratch: Path) -> Reconstruction:
        """Reconstruct frames (n, 480, 640, 3) uint8 RGB.

        Raises:
            TooFewRegistered: too few frames show anything, or have a camera.
            InconsistentReconstruction: no camera has such a focal length, or depth is missing.
            LensZooms: the lens zooms, and one focal length was given to all frames.
            SettingsError: the weights are unknown, damaged or another network's, or the device's memory is too small.
            WeightsAway: no server gives the weights at the moment.
        """
        settings = self.settings
        kept = self.shown_frames(rgb)
        with as_settings_error(f"reconstruction weights {settings.weights}"):
            asked = settings.weights, settings.device, settings.precision
            network = loaded(network_on, *asked, now=partial(read_files, settings.weights))
            said = predict(network, rgb, kept, settings.image_size, settings.window, settings.overlap)
        _trust_only(shown_share(rgb, said.depth.shape[2]), said)
        found = to_reconstruction(said, kept, rgb.shape[:3], settings.max_disagreement)
        self.require(int(found.registered.sum()), "frames have a camera in one world")
        check_lens(rgb, found)
        matches: list[MatchedPair] = []
        if settings.refine:
            found, matches = refined(rgb, found, scratch, ColmapSettings())
        if settings.metric_weights is not None:
            found = self._with_metres(rgb, found, lens_spread(said.focal))
        notes = [*dropped_notes(len(rgb), len(kept))]
        if said.window < min(settings.window, len(kept)):
            notes.append(f"the device's memory held {said.window} frames at a time, {settings.window} were asked for")
        return replace(
            found,
            notes=(
                *notes,
                *found.notes,
                *self.baseline_notes(found.camera_to_world[found.registered], found.depth),
                doubt_note(signs_of_network(found, matches)),
                UNCHECKED,
            ),
        )

    def _with_metres(self, rgb: Images, found: Reconstruction, spread: float) -> Reconstruction:
        shape, ask = (found.depth.shape[1], found.depth.shape[2]), metric_looks(self.settings, rgb)
        return of_another_network(found, lambda frames: ask(frames, shape), FusionSettings().max_beyond, spread)


def lens_spread(focal: Float64s) -> float:
    """Return the robust standard deviation of ln(focal length), of what the network says of frames and axes (n, 2).

    All frames of a clip share what the one focal length is off by, so that more frames do not lessen it.
    """
    logs = np.log(focal[np.isfinite(focal).all(axis=1)])
    return _TO_DEVIATION * float(np.median(np.abs(logs - np.median(logs))))


def _trust_only(columns: NDArray[np.bool_], said: Prediction) -> None:
    """Take all trust in columns (w,) of depth that show nothing."""
    said.confidence[...] *= columns
    for window in said.windows:
        window.confidence[...] *= columns[EVERY]


def to_reconstruction(
    said: Prediction, kept: NDArray[np.int64], shape: tuple[int, ...], max_disagreement: float
) -> Reconstruction:
    """Join what the network said of windows of the frames ``kept``, with one focal length, to rows of all frames.

    shape: (n, height, width) of the pictures. Depth of ``said`` is brought to one unit in place.

    Raises:
        InconsistentReconstruction: no camera has such a focal length, or no pixel has a depth.
    """
    count, height, width = shape[:3]
    focal = _one_focal(said.focal, width)
    whole = joined(said.windows, _rays(said.depth.shape[1:], focal, (height, width)), max_disagreement)
    poses, has_camera = _poses(said, whole)
    has_depth = (said.depth > 0).mean(axis=(1, 2)) > 0
    registered = np.zeros(count, np.bool_)
    registered[kept] = has_camera & has_depth
    if not registered.any():
        raise InconsistentReconstruction("the network's answer holds no depth, or values that are not finite")
    chosen = registered[kept]
    if not chosen.all():
        said.depth[~chosen] = said.confidence[~chosen] = 0
    intrinsics = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])
    return Reconstruction(
        intrinsics=_rows(count, np.flatnonzero(registered), np.tile(intrinsics, (int(chosen.sum()), 1, 1))),
        camera_to_world=_rows(count, np.flatnonzero(registered), poses[chosen]),
        depth=said.depth if len(kept) == count else _rows(count, kept, said.depth),
        confidence=said.confidence if len(kept) == count else _rows(count, kept, said.confidence),
        registered=registered,
        notes=_join_notes(whole, max_disagreement),
    )


def _one_focal(focal: Float64s, width: int) -> float:
    """Return the median over frames and axes, which the network tells apart although pixels are square."""
    finite = focal[np.isfinite(focal).all(axis=1)]
    found = float(np.median(finite)) if len(finite) else float("nan")
    if not FOCAL_BOUNDS[0] <= found / width <= FOCAL_BOUNDS[1]:
        raise InconsistentReconstruction(f"no camera has a focal length of {found:.4g} pixels for {width} of width")
    return found


def _rays(grid: tuple[int, ...], focal: float, picture: tuple[int, int]) -> Float64s:
    """Rays (a, b, 3) of unit depth of every sixth pixel of maps of ``grid`` = (h, w), which cover the picture."""
    rows, columns = (
        ((np.arange(cells)[EVERY] + 0.5) / cells - 0.5) * side / focal
        for cells, side in zip(grid, picture, strict=True)
    )
    x, y = np.meshgrid(columns, rows)
    return np.stack([x, y, np.ones_like(x)], axis=-1)


def _poses(said: Prediction, whole: Joined) -> tuple[Float64s, NDArray[np.bool_]]:
    """Return camera_to_world (n, 4, 4) of all frames, and who has one; depth gets the common unit."""
    poses, has_camera = np.zeros((len(said.depth), 4, 4)), np.zeros(len(said.depth), np.bool_)
    for window, own, similarity, is_kept in zip(said.windows, said.owned, whole.to_world, whole.kept, strict=True):
        if is_kept:
            cameras, scale = moved(window.camera_to_world, similarity)
            rows = slice(own.start, own.stop)
            poses[rows] = cameras[own.start - window.frames.start : own.stop - window.frames.start]
            said.depth[rows] *= scale
            has_camera[rows] = np.isfinite(poses[rows]).all(axis=(1, 2))
    return poses, has_camera


def _join_notes(whole: Joined, max_disagreement: float) -> tuple[str, ...]:
    if not len(whole.disagreement):
        return ()
    steps, apart = whole.disagreement, int((~(whole.disagreement <= max_disagreement)).sum())
    if not apart:
        return (f"{len(steps) + 1} windows were joined, which differ by up to {steps.max():.1%} of the depth",)
    return (f"{len(steps) + 1} windows fall into {apart + 1} pieces, kept the longest",)


def _rows(count: int, at: NDArray[np.int64], values: NDArray[np.floating]) -> NDArray[np.float32]:
    whole = np.zeros((count, *values.shape[1:]), np.float32)
    whole[at] = values
    return whole


def network_on(weights: str, device: str | None, precision: str) -> "Da3":
    """Load the network onto a device, by default the GPU where there is one, its body in the precision asked for."""
    import torch

    from models.da3 import Da3
    from models.device import device_of, in_bfloat16

    place = device_of(device)
    network = Da3.load(weights).to(place)
    return network.body_in(torch.bfloat16) if in_bfloat16(precision, place) else network
