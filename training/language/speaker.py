"""A trained language head at work: which voxels are occupied, and how close each of them comes to some words."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from models.device import device_of
from models.symphonies import Symphonies
from pipeline.contract.arrays import Floats
from pipeline.contract.classes import SemanticClass
from pipeline.contract.grid import GRID_SHAPE
from pipeline.contract.language import TextSide
from training.checkpoints import describe, load_network
from training.data import Sample, collate
from training.errors import WrongCheckpoint
from training.language.task import speaking_head
from training.language.words import ClassWords, check_text_side
from training.tasks.supervise import views_of

VOXELS_AT_ONCE = 16_384
"""Voxels whose vectors are in memory together: 100 MB of 512 numbers each and the layer before them."""


class Speaker:
    """A network with a language head."""

    def __init__(self, network: Symphonies) -> None:
        self.network = network.eval().to(device_of(None))

    @classmethod
    def load(cls, folder: Path, text: TextSide) -> "Speaker":
        """Return the network of a run, on the GPU where there is one.

        Raises:
            WrongCheckpoint: it has no language head, is not finished or damaged.
            OtherWeights: it was trained on embeddings of other weights than the text side's.
        """
        description = describe(folder)
        if not description.network.language:
            message = f"the network in {folder} has no language head: train one with 'youtube-occ train language'"
            raise WrongCheckpoint(message)
        check_text_side(text, description.text_weights, str(folder))
        return cls(load_network(folder))

    def classes(self, sample: Sample, words: ClassWords) -> NDArray[np.uint8]:
        """Return the grid (60, 60, 36) uint8: occupied voxels take the class whose text comes closest."""
        occupied, cosines = self._cosines(sample, words.vectors)
        labels = np.full(GRID_SHAPE, SemanticClass.EMPTY, np.uint8)
        labels[occupied] = words.best(cosines)
        return labels

    def heat(self, sample: Sample, vector: Floats) -> Floats:
        """Return the cosine (60, 60, 36) float32 of occupied voxels with a unit vector (E,), nan where it is free."""
        occupied, cosines = self._cosines(sample, vector[None])
        scores = np.full(GRID_SHAPE, np.nan, np.float32)
        scores[occupied] = cosines[:, 0]
        return scores

    @torch.inference_mode()
    def _cosines(self, sample: Sample, vectors: Floats) -> tuple[NDArray[np.bool_], Floats]:
        """Return which voxels are occupied (60, 60, 36), and their cosines (n, P) with unit vectors (P, E)."""
        views = views_of(collate([sample])).to(next(self.network.parameters()).device)
        grid = self.network.features(views)[-1]
        occupied = self.network.head(grid)[0].argmax(dim=0) == 1
        rows = grid[0, :, occupied].T
        text = torch.from_numpy(vectors).to(rows)
        cosines = [self._compare(some, text) for some in torch.split(rows, VOXELS_AT_ONCE)]
        return occupied.cpu().numpy(), np.asarray(torch.cat(cosines).float().cpu().numpy(), np.float32)

    def _compare(self, rows: Tensor, text: Tensor) -> Tensor:
        return functional.normalize(speaking_head(self.network)(rows), dim=-1) @ text.T
