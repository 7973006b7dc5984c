"""What a network finds when it is asked one thing: heat over a picture and over its grid from above."""

import numpy as np
from PIL import Image

from pipeline.contract.arrays import Floats
from pipeline.pictures.heat import Heat, grid_heat, heat_bounds, picture_heat
from pipeline.pictures.layout import below, beside, caption
from training.data import Frames, Sample, collate
from training.language.speaker import Speaker
from training.tasks.regions import pixel_voxels
from training.tasks.supervise import views_of

LOOKED_AT = 24
"""Frames, spread over a dataset, among which the hottest is looked for."""
HOT_VOXELS = 200
"""Voxels whose mean decides which frame is hottest: about the surface of a chair."""


def hottest(speaker: Speaker, frames: Frames, vector: Floats) -> tuple[Sample, Heat]:
    """Return the frame, among some spread over a dataset, that says most of a unit vector (E,), and its heat.

    A frame says as much as the mean of its hottest voxels.
    """
    indices = np.unique(np.linspace(0, len(frames) - 1, LOOKED_AT).astype(int)).tolist()
    heats = ((index, sample_heat(speaker, frames[index], vector)) for index in indices)
    index, heat = max(heats, key=lambda found: _hottest_voxels(found[1]))
    return frames[index], heat


def sample_heat(speaker: Speaker, sample: Sample, vector: Floats) -> Heat:
    """Return how much every predicted voxel, and every pixel whose point falls into one, says of a unit vector (E,)."""
    voxels = speaker.heat(sample, vector)
    shown = pixel_voxels(views_of(collate([sample])))[0].numpy()
    return Heat(np.append(voxels.ravel(), np.float32(np.nan))[shown], voxels)


def heat_picture(sample: Sample, heat: Heat, query: str) -> Image.Image:
    """Return the heat over the picture and over the grid from above, with its scale."""
    bounds = heat_bounds([heat])
    title = f"{query}: cosine {bounds[0]:.2f} (blue) to {bounds[1]:.2f} (red)"
    return below(caption(title), beside(picture_heat(sample.rgb, heat, bounds), grid_heat(heat, bounds)))


def _hottest_voxels(heat: Heat) -> float:
    scores = np.sort(heat.voxels[np.isfinite(heat.voxels)])[-HOT_VOXELS:]
    return float(scores.mean()) if scores.size else -np.inf
