"""Depth Anything 3 over the windows of a clip; memory on the device is that of one window, however long the clip."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Float64s, Floats, Images
from pipeline.stages.reconstruction.da3.windows import WindowCameras, owned_frames, windows_of

if TYPE_CHECKING:
    from models.da3 import Da3
    from models.da3.network import Da3Views

_log = logging.getLogger(__name__)

EVERY = slice(3, None, 6)
"""Rows and columns of depth by which windows are joined: neighbouring pixels err alike."""

FEWEST_FRAMES = 4
"""Frames of a window below which it is not halved again."""


FREE_SHARE = 0.9
"""Of what is free on a device that a window may take, as it is reckoned beforehand."""


@dataclass(frozen=True)
class Prediction:
    """What the network says of a clip of n frames, before its windows are joined.

    windows: with depth of every sixth pixel. owned: the frames that each window answers for. depth: (n, h, w) float32,
    in the unit of the frame's window. confidence: (n, h, w) float32 in [0, 1). focal: (n, 2) float64, horizontal and
    vertical, pixels of the stored picture. window: frames seen at once in the end.
    """

    windows: list[WindowCameras]
    owned: list[range]
    depth: Floats
    confidence: Floats
    focal: Float64s
    window: int


def predict(network: "Da3", rgb: Images, kept: NDArray[np.int64], size: int, window: int, overlap: float) -> Prediction:
    """Run the network over the frames ``kept`` of (N, H, W, 3) uint8 RGB, with fewer at once where memory is short.

    The first window has so many frames as what is free on the device should hold. Where it runs out of memory all the
    same, all windows are done again with half the frames, so that what comes out depends on the last size alone.

    Raises:
        OutOfDeviceMemory: not even four frames fit.
    """
    import torch

    from models.errors import OutOfDeviceMemory
    from models.memory import is_out_of_memory

    window = first_window(network, rgb.shape[1:3], size, min(window, len(kept)))
    while True:
        try:
            return _predict(network, rgb, kept, size, windows_of(len(kept), window, overlap))
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            smaller = window // 2
        # out of the handler, which held what the failed window had allocated
        torch.cuda.empty_cache()
        if smaller < FEWEST_FRAMES:
            raise OutOfDeviceMemory(f"not even {window} frames fit into the device's memory; make image_size smaller")
        _log.warning("the device ran out of memory; going on with %d frames at a time", smaller)
        window = smaller


def first_window(network: "Da3", picture: tuple[int, ...], size: int, window: int) -> int:
    """Return ``window`` frames, or as many as the device's free memory should hold, four at least where there are.

    picture: (height, width) of the frames. size: pixels of the long side of what the network is given.
    """
    from models.da3.memory import fitting_frames
    from models.memory import free_bytes

    scale = size / max(picture)
    fitting = fitting_frames(
        network.config, (round(picture[0] * scale), round(picture[1] * scale)), FREE_SHARE * free_bytes(network.device)
    )
    if fitting >= window:
        return window
    first = min(window, max(fitting, FEWEST_FRAMES))
    _log.warning("the device's free memory holds about %d frames; working on %d at a time", fitting, first)
    return first


def _predict(network: "Da3", rgb: Images, kept: NDArray[np.int64], size: int, windows: Sequence[range]) -> Prediction:
    import torch

    from models.da3.preprocess import prepare_views

    cameras: list[WindowCameras] = []
    owned = owned_frames(windows)
    depth = confidence = np.zeros((0, 0, 0), np.float32)
    focal = np.zeros((len(kept), 2))
    for frames, own in zip(windows, owned, strict=True):
        prepared = prepare_views([rgb[kept[frame]] for frame in frames], size)
        with torch.inference_mode():
            views = network(prepared.images[None], rays=False)
        of_depth, trust, poses, intrinsics = _arrays(views)
        if not depth.size:
            depth, confidence = (np.zeros((len(kept), *of_depth.shape[1:]), np.float32) for _ in range(2))
        inside = slice(own.start - frames.start, own.stop - frames.start)
        rows = slice(own.start, own.stop)
        depth[rows], confidence[rows] = of_depth[inside], trust[inside]
        stored = prepared.original_intrinsics(intrinsics)
        focal[rows] = np.stack([stored[inside, 0, 0], stored[inside, 1, 1]], axis=-1)
        # copies: a view would keep the whole window's maps
        cameras.append(WindowCameras(frames, poses, *(part[:, EVERY, EVERY].copy() for part in (of_depth, trust))))
    return Prediction(cameras, owned, depth, confidence, focal, len(windows[0]))


def _arrays(views: "Da3Views") -> tuple[Floats, Floats, Float64s, Float64s]:
    """Depth (S, h, w), confidence in [0, 1), camera_to_world (S, 4, 4) and intrinsics (S, 3, 3); 0 where not finite."""
    depth, raw = (part[0].float().cpu().numpy() for part in (views.depth, views.depth_confidence))
    poses, intrinsics = (part[0].double().cpu().numpy() for part in (views.camera_to_world, views.intrinsics))
    given = np.isfinite(depth) & np.isfinite(raw) & (depth > 0)
    # the network's confidence is 1 + exp(l): of no fixed unit, brought to [0, 1) as DUSt3R's is
    confidence = np.where(given, 1 - 1 / np.maximum(np.where(given, raw, 1), 1), 0)
    return np.where(given, depth, 0), confidence.astype(np.float32), poses, intrinsics
