"""Zero-shot semantic occupancy: the eleven classes by their words alone, and what stands beside for comparison."""

from collections.abc import Mapping
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.contract.classes import SemanticClass
from pipeline.contract.grid import GRID_SHAPE
from pipeline.contract.language import RegionNetwork
from pipeline.contract.progress import Progress, silent
from training.data import Frames, Sample, collate
from training.language.speaker import Speaker
from training.language.task import taught_voxels
from training.language.words import ClassWords
from training.scores.evaluate import Predictor, score
from training.scores.metrics import Evaluation
from training.tasks.regions import pixel_voxels
from training.tasks.supervise import views_of

PROJECTED = "2D features projected"


def zero_shot(
    speaker: Speaker,
    words: ClassWords,
    regions: RegionNetwork,
    frames: Frames,
    name: str,
    rivals: Mapping[str, Predictor],
    progress: Progress = silent,
) -> Evaluation:
    """Score a language head on every frame, beside the image network that taught it, projected, and other predictors.

    Raises:
        UnusableDataset: there is no frame, or nothing known in any grid.
    """
    predictors: dict[str, Predictor] = {
        name: partial(speaker.classes, words=words),
        PROJECTED: partial(projected_classes, regions, words),
        **rivals,
    }
    return score(predictors, frames, progress)


def projected_classes(regions: RegionNetwork, words: ClassWords, sample: Sample) -> NDArray[np.uint8]:
    """Return POP-3D's baseline, a grid (60, 60, 36) uint8: what the image network says, carried along the depth map.

    Occupied are the voxels that points of regions fall into; each takes the class closest to its mean embedding.
    """
    seen = regions.label(sample.rgb[None], (sample.depth.shape[0], sample.depth.shape[1]))
    labels = np.full(GRID_SHAPE, SemanticClass.EMPTY, np.uint8)
    if seen.region_embeddings is None:
        return labels
    voxels = pixel_voxels(views_of(collate([sample])))[0]
    regions_shown = torch.from_numpy(seen.regions[0].astype(np.int64))
    shown = taught_voxels(voxels, regions_shown, torch.from_numpy(seen.region_embeddings).float())
    labels.ravel()[shown.voxels.numpy()] = words.best(shown.targets.numpy() @ words.vectors.T)
    return labels
