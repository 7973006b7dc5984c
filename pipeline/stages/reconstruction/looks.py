"""What MoGe-2 says of frames of a clip, one after another: focal length, depth in metres, normals."""

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from models.paging import on_disk, release
from pipeline.contract.arrays import Float64s, Floats, Images
from pipeline.geometry.depth_scale import OWN_SPREAD
from pipeline.geometry.poses import resize_nearest
from pipeline.stages.network_errors import as_settings_error
from pipeline.stages.networks import loaded
from pipeline.stages.reconstruction.recorded import read_files

if TYPE_CHECKING:
    from torch import Tensor

    from models.moge import AnyMoge, MogeRaw

MODEL_FILES = ("model.pt", "model.safetensors")
"""What the file is called in a folder, the first that is there."""

MAPS = ("points", "normals", "mask")
"""What is said of every pixel."""

FOCAL_SPREAD = 0.1
"""Robust deviation of ln(focal length) over the frames above which the network does not know the lens."""
FOCAL_RANGE = (0.35, 2.5)
"""Picture widths: what cameras have."""
_TO_DEVIATION = 1.4826


class LookSettings(Protocol):
    """Which network is asked, where, and how closely it looks."""

    @property
    def weights(self) -> str:
        """Registered name, or path of a file or folder."""
        ...

    @property
    def device(self) -> str | None:
        """Torch device; None = the GPU if there is one."""
        ...

    @property
    def precision(self) -> str:
        """``auto``, ``float32`` or ``bfloat16``."""
        ...

    @property
    def level(self) -> int:
        """Resolution that MoGe-2 works at, 0 to 9."""
        ...


@dataclass(frozen=True)
class NetworkLook:
    """What the network says of n frames, at the size of depth maps, which ``_together`` keeps in files.

    points: (n, h, w, 3) float32, right but for a shift along z and a scale. normals: (n, h, w, 3) float32 or None.
    mask: (n, h, w) float32, probability of something solid, or None. metres: (n,) float32 or None, metres a unit of
    the points. focal: (n,), the network's own focal length in picture widths. shifted: as of ``MogeRaw``.
    spread: (n,) float32 or None, standard deviation of the logarithm of ``metres`` by the network's own word.
    """

    points: Floats
    normals: Floats | None
    mask: Floats | None
    metres: Floats | None
    focal: Float64s
    shifted: bool = True
    spread: Floats | None = None

    @property
    def gives_metres(self) -> bool:
        """Whether the network says a scale."""
        return self.metres is not None

    @property
    def goes_with_focal(self) -> bool:
        """Whether metres grow with the focal length that is given; those of points with a shift hardly do."""
        return not self.shifted

    def focal_ratio(self, frames: NDArray[np.int64], focal: Float64s) -> Float64s:
        """Return the network's own focal length over the given one (r,), picture widths, for some frames (r,)."""
        return self.focal[frames] / focal

    def own_spread(self, frames: NDArray[np.int64]) -> float:
        """Return the standard deviation of the log scale that one frame adds of its own, for some frames (r,)."""
        return OWN_SPREAD if self.spread is None else float(np.median(self.spread[frames]))

    def of_frames(self, frames: NDArray[np.int64]) -> "NetworkLook":
        """Return what it says of some frames (r,) alone."""
        others = (self.normals, self.mask, self.metres, self.spread)
        normals, mask, metres, spread = (None if part is None else part[frames] for part in others)
        return NetworkLook(self.points[frames], normals, mask, metres, self.focal[frames], self.shifted, spread)

    def focal_prior(self) -> float | None:
        """Return the focal length of the clip in picture widths; None where frames disagree or no camera has it."""
        logs = np.log(self.focal[np.isfinite(self.focal) & (self.focal > 0)])
        if not len(logs):
            return None
        middle = float(np.median(logs))
        spread = _TO_DEVIATION * float(np.median(np.abs(logs - middle)))
        known = spread <= FOCAL_SPREAD and FOCAL_RANGE[0] <= math.exp(middle) <= FOCAL_RANGE[1]
        return math.exp(middle) if known else None

    def seen_with(self, frames: NDArray[np.int64], focal: Float64s) -> tuple[Floats, NDArray[np.bool_]]:
        """Return depth (r, h, w) of some frames with focal lengths (r,) that are known, and where it is solid.

        focal: picture widths. Depth is in metres where the network says its scale; 0 = no value.
        """
        import torch

        from models.moge.geometry import metric_views

        depth, solid = (np.zeros((len(frames), *self.points.shape[1:3]), kind) for kind in (np.float32, np.bool_))
        for row, (frame, length) in enumerate(zip(frames.tolist(), focal.tolist(), strict=True)):
            angle = 2 * math.degrees(math.atan(0.5 / length))
            views = metric_views(self._raw(frame), fov_x=angle, masked=False)
            given = views.mask[0] & torch.isfinite(views.depth[0]) & (views.depth[0] > 0)
            solid[row] = given.numpy()
            depth[row] = np.where(solid[row], views.depth[0].numpy(), 0)
            release(*(part for part in (self.points, self.mask) if part is not None))
        return depth, solid

    def facing(self, frames: NDArray[np.int64], focal: Float64s) -> Floats | None:
        """Return the cosine (r, h, w) between surface normals and rays of some frames; None where there are no normals.

        focal: (r,), picture widths, of a lens whose axis meets the middle of the picture.
        """
        if self.normals is None:
            return None
        height, width = self.points.shape[1:3]
        columns, rows = ((np.arange(side) + 0.5 - side / 2) / width for side in (width, height))
        x, y = np.meshgrid(columns, rows)
        found = np.zeros((len(frames), height, width), np.float32)
        for row, (frame, length) in enumerate(zip(frames.tolist(), focal.tolist(), strict=True)):
            rays = np.stack([x / length, y / length, np.ones_like(x)], axis=-1)
            lengths = np.linalg.norm(rays, axis=-1)
            found[row] = np.einsum("hwk,hwk->hw", self.normals[frame], rays) / lengths
            release(self.normals)
        return found

    def _raw(self, frame: int) -> "MogeRaw":
        import torch

        from models.moge import MogeRaw

        others = (self.normals, self.mask, self.metres)
        normal, mask, metres = (None if part is None else torch.from_numpy(part[frame : frame + 1]) for part in others)
        return MogeRaw(torch.from_numpy(self.points[frame : frame + 1]), normal, mask, metres, self.shifted)


class ClipLooks:
    """What the network says of the frames of one clip, for all attempts at it; another clip's takes its place.

    Every frame is looked at once, when it is first asked for.
    """

    def __init__(self, settings: LookSettings) -> None:
        self.settings = settings
        self._clip: set[bytes] = set()
        self._seen: dict[bytes, tuple[NetworkLook, int]] = {}

    def of(self, rgb: Images, shape: tuple[int, int], frames: NDArray[np.int64] | None = None) -> NetworkLook:
        """Return what ``look`` says of some frames (r,) of a clip ``rgb``, in their order; by default of all."""
        marks = [hashlib.sha256(frame.tobytes()).digest() for frame in rgb]
        if not self._clip >= {*marks}:
            self._clip, self._seen = {*marks}, {}  # its memory is free before the next clip's is taken
        rows = range(len(rgb)) if frames is None else frames.tolist()
        unseen = list({marks[row]: row for row in rows if marks[row] not in self._seen}.values())
        if unseen:
            found = look(rgb[unseen], shape, self.settings)
            self._seen |= {marks[row]: (found, at) for at, row in enumerate(unseen)}
        return _gathered([self._seen[marks[row]] for row in rows])


def _gathered(parts: list[tuple[NetworkLook, int]]) -> NetworkLook:
    """Return frames of several looks as one; one of them as it is, where these are its frames in their order."""
    first = parts[0][0]
    rows = [row for part, row in parts if part is first]
    if rows == [*range(len(first.points))] and len(rows) == len(parts):
        return first
    return _together((part.of_frames(np.array([row])) for part, row in parts), len(parts))


def look(rgb: Images, shape: tuple[int, int], settings: LookSettings) -> NetworkLook:
    """Run the network over frames (n, H, W, 3) uint8 RGB, one at a time; shape: (h, w) of what is kept.

    Raises:
        SettingsError: the weights are unknown, damaged or another network's, or the device's memory is too small.
        WeightsAway: no server gives the weights at the moment.
    """
    with as_settings_error(f"reconstruction weights {settings.weights}"):
        asked = settings.weights, settings.device, settings.precision
        network = loaded(network_on, *asked, now=partial(read_files, settings.weights, MODEL_FILES))
        return _together((_one(network, frame, shape, settings.level) for frame in rgb), len(rgb))


def _together(looks: Iterable[NetworkLook], count: int) -> NetworkLook:
    """Return looks at one frame each as one, of ``count`` frames.

    Maps, 2 MB a frame, lie in files, and memory holds those of one frame, however long the clip is.
    """
    maps: dict[str, Floats] = {}
    numbers: list[NetworkLook] = []
    for row, one in enumerate(looks):
        for name in MAPS:
            part: Floats | None = getattr(one, name)
            if part is not None:
                if name not in maps:
                    maps[name] = on_disk((count, *part.shape[1:]))
                maps[name][row] = part[0]
        release(*maps.values())
        numbers.append(replace(one, points=np.zeros((0, 0, 0, 3), np.float32), normals=None, mask=None))
    return NetworkLook(
        points=maps["points"],
        normals=maps.get("normals"),
        mask=maps.get("mask"),
        metres=_concatenated([one.metres for one in numbers]),
        focal=np.concatenate([one.focal for one in numbers]),
        shifted=numbers[0].shifted,
        spread=_concatenated([one.spread for one in numbers]),
    )


def _concatenated(parts: list[Floats | None]) -> Floats | None:
    given = [part for part in parts if part is not None]
    return np.concatenate(given) if given else None


def _one(network: "AnyMoge", frame: Images, shape: tuple[int, int], level: int) -> NetworkLook:
    import torch

    from models.errors import OutOfDeviceMemory
    from models.memory import is_out_of_memory
    from models.moge import MogeRaw, metric_views

    picture = torch.from_numpy(frame).movedim(-1, 0)[None].float() / 255
    try:
        with torch.inference_mode():
            raw = network(picture, level=level)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        message = "not even one picture fits into the device's memory; make level smaller, or take another device"
        raise OutOfDeviceMemory(message) from error
    points = _nearest(raw.points, shape)
    normals, mask = (None if part is None else _nearest(part, shape) for part in (raw.normal, raw.mask))
    small = MogeRaw(torch.from_numpy(points), None, None if mask is None else torch.from_numpy(mask), None, raw.shifted)
    focal = metric_views(small, masked=False).intrinsics[:, 0, 0].double().numpy() / shape[1]
    of_scale = (raw.metric_scale, raw.scale_sigma)
    metres, spread = (None if one is None else one.float().cpu().numpy() for one in of_scale)
    return NetworkLook(points, normals, mask, metres, focal, raw.shifted, spread)


def _nearest(values: "Tensor", shape: tuple[int, int]) -> Floats:
    """Sample (1, H, W, ...) at the centres of maps of ``shape``; a mean would mix both sides of an edge."""
    maps = values.float().cpu().numpy()
    return np.ascontiguousarray(resize_nearest(maps, shape), np.float32)


def network_on(weights: str, device: str | None, precision: str) -> "AnyMoge":
    """Load the network onto a device, by default the GPU where there is one, in the precision asked for."""
    import torch

    from models.device import device_of, in_bfloat16
    from models.moge import Moge

    place = device_of(device)
    network = Moge.load(weights).to(place)
    return network.multiply_in(torch.bfloat16) if in_bfloat16(precision, place) else network
