"""Reconstruction as in the paper: DUSt3R on pairs of frames, then global alignment.

DUSt3R's released weights are non-commercial; this backend runs whatever weights its settings name.
"""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Images
from pipeline.contract.padding import shown_columns
from pipeline.contract.records import Reconstruction
from pipeline.stages.network_errors import as_settings_error
from pipeline.stages.networks import loaded
from pipeline.stages.reconstruction.dust3r.alignment.graph import video_pairs
from pipeline.stages.reconstruction.dust3r.alignment.records import Alignment, PairPredictions
from pipeline.stages.reconstruction.dust3r.lens import check_lens
from pipeline.stages.reconstruction.dust3r.settings import Dust3rSettings
from pipeline.stages.reconstruction.network import NetworkReconstructor, dropped_notes
from pipeline.stages.reconstruction.recorded import read_files

if TYPE_CHECKING:
    from torch import Tensor

    from models.dust3r import Dust3r
    from models.dust3r.pairs import PairPointMaps
    from models.dust3r.preprocess import Crop


class Dust3rReconstructor(NetworkReconstructor[Dust3rSettings]):
    """Cameras and depth of a clip from DUSt3R's pointmaps."""

    name = "dust3r"

    def reconstruct(self, rgb: Images, scratch: Path) -> Reconstruction:
        """Reconstruct frames (n, 480, 640, 3) uint8 RGB; pairs wait in ``scratch``.

        Raises:
            TooFewRegistered: too few frames show anything, or see one place.
            InconsistentReconstruction: the network's pairs contradict each other or hold values that are not finite.
            LensZooms: the lens zooms, and the network did not see it.
            SettingsError: the weights are unknown or damaged, or the device's memory is too small.
            WeightsAway: no server gives the weights at the moment.
        """
        from models.dust3r.preprocess import preprocess
        from pipeline.stages.reconstruction.dust3r.alignment.align import align

        shown = np.zeros(len(rgb), np.bool_)
        shown[self.shown_frames(rgb)] = True
        with as_settings_error(f"reconstruction weights {self.settings.weights}"):
            network = self._network()
            height, width = network.config.img_size
            size = self.settings.image_size or max(height, width)
            images, crop = preprocess(rgb[shown], size, keep_shape=height != width)
            edges, maps = self._predict(network, images, scratch)
        _trust_only(shown_columns(rgb), crop, maps)
        predictions = PairPredictions(
            len(images), edges, maps.points1, maps.points2, maps.confidence1, maps.confidence2
        )
        alignment = align(predictions, self.settings.alignment)
        self.require(int(alignment.aligned.sum()), "frames see the same place")
        cameras = alignment.camera_to_world[alignment.aligned]
        notes = (
            *dropped_notes(len(rgb), len(images)),
            *_batch_notes(maps),
            *alignment.notes,
            *self.baseline_notes(cameras, alignment.depth),
        )
        found = to_reconstruction(alignment, crop, shown, notes)
        check_lens(rgb, found)
        return found

    def _network(self) -> "Dust3r":
        settings = self.settings
        asked = settings.weights, settings.device, settings.precision
        return loaded(network_on, *asked, now=partial(read_files, settings.weights))

    def _predict(self, network: "Dust3r", images: "Tensor", scratch: Path) -> tuple[NDArray[np.int64], "PairPointMaps"]:
        from models.dust3r.pairs import predict_pairs

        settings = self.settings
        edges = video_pairs(len(images), settings.window, settings.strides, settings.complete_up_to)
        return edges, predict_pairs(network, images, edges, scratch, settings.batch_pairs)


def _trust_only(columns: slice, crop: "Crop", maps: "PairPointMaps") -> None:
    """Give pixels outside the columns of the pictures that show anything the least confidence there is, which is 1."""
    at = (np.arange(crop.size[0]) + crop.left + 0.5) * crop.original[0] / crop.resized[0]
    beside = (at < columns.start) | (at >= columns.stop)
    if beside.any():
        maps.confidence1[..., beside] = maps.confidence2[..., beside] = 1


def network_on(weights: str, device: str | None, precision: str) -> "Dust3r":
    """Load the network onto a device, by default the GPU where there is one, its body in the precision asked for."""
    import torch

    from models.device import device_of, in_bfloat16
    from models.dust3r import Dust3r

    place = device_of(device)
    network = Dust3r.load(weights).to(place)
    return network.cast_body(torch.bfloat16) if in_bfloat16(precision, place) else network


def _batch_notes(maps: "PairPointMaps") -> tuple[str, ...]:
    return (f"the device ran out of memory; went on with {maps.batch_size} pairs at a time",) if maps.halved else ()


def to_reconstruction(
    alignment: Alignment, crop: "Crop", shown: NDArray[np.bool_], notes: tuple[str, ...]
) -> Reconstruction:
    """Bring the alignment of the shown frames to the stored picture and to rows of all frames."""
    registered = np.zeros(len(shown), np.bool_)
    registered[shown] = alignment.aligned
    kept = alignment.aligned
    depth = crop.uncut(alignment.depth[kept])
    confidence = crop.uncut(1 - 1 / alignment.confidence[kept].clip(min=1))
    return Reconstruction(
        intrinsics=_rows(registered, _stored_intrinsics(alignment.focal[kept], crop)),
        camera_to_world=_rows(registered, alignment.camera_to_world[kept]),
        depth=_rows(registered, depth),
        confidence=_rows(registered, np.where(depth > 0, confidence, 0)),
        registered=registered,
        notes=notes,
    )


def _stored_intrinsics(focal: NDArray[np.float64], crop: "Crop") -> NDArray[np.float64]:
    intrinsics = np.tile(np.eye(3), (len(focal), 1, 1))
    intrinsics[:, 0, 0] = intrinsics[:, 1, 1] = focal
    intrinsics[:, 0, 2], intrinsics[:, 1, 2] = crop.size[0] / 2, crop.size[1] / 2
    return crop.original_intrinsics(intrinsics)


def _rows(kept: NDArray[np.bool_], values: NDArray[np.floating]) -> NDArray[np.float32]:
    """Values of the kept frames at their places among all, zeros elsewhere."""
    whole = np.zeros((len(kept), *values.shape[1:]), np.float32)
    whole[kept] = values
    return whole
