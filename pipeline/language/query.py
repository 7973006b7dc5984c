"""Asks a dataset in words: the regions, frames and voxels that say most of what a text says."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Floats
from pipeline.contract.progress import Progress, counted, silent
from pipeline.language.index import RegionHit, RegionIndex, open_index
from pipeline.language.text import SanText, checked_queries, cosine
from pipeline.language.voxels import ensure_language, language_grid, region_rows, world_centres
from pipeline.pictures.heat import Heat
from pipeline.store.groups import FRAMES, OCCUPANCY, SEMANTICS
from pipeline.store.store import Store
from pipeline.store.video import VideoStore

REGIONS_A_FRAME = 8
"""Regions asked of the index for every frame wanted; more are asked where they lie in too few frames."""


@dataclass(frozen=True)
class FrameHit:
    """A frame and the cosine of its best region with the query."""

    video_id: str
    row: int
    score: float


@dataclass(frozen=True)
class VoxelHit:
    """A voxel of a frame's grid: its index, its centre in the clip's world (metres), and its mean cosine."""

    video_id: str
    row: int
    voxel: tuple[int, int, int]
    centre: tuple[float, float, float]
    score: float


@dataclass(frozen=True)
class FrameHeat:
    """One frame in the light of a query."""

    hit: FrameHit
    heat: Heat


@dataclass(frozen=True)
class Answer:
    """What a query found: frames, best first, each with its heat; voxels, best first, each place of a clip once."""

    frames: tuple[FrameHeat, ...]
    voxels: tuple[VoxelHit, ...]


def ask(
    store: Store, text: SanText, query: str, top: int, video_id: str | None = None, progress: Progress = silent
) -> Answer:
    """Return the ``top`` frames of a dataset, or of one video, that say most of a query, and the voxels in them.

    Raises:
        UnusableQuery: the words cannot be compared with regions.
        NoEmbeddings: no region, or none of that video, has an embedding.
        OtherWeights: the embeddings were made by other weights than the text side's.
    """
    checked_queries([query])
    index = open_index(
        store, text, progress
    )  # before the words ask for weights that no region of this dataset may need
    vector = text.embed([query])[0]
    index.video_ids(video_id)
    store = store.as_it_is()
    hits = best_frames(store, index, vector, top, video_id)
    heats = tuple(frame_heat(store.video(hit.video_id), hit, vector) for hit in counted(hits, progress, "heat"))
    return Answer(heats, tuple(_best_voxels(store, heats, top)))


def best_frames(
    store: Store, index: RegionIndex, vector: Floats, top: int, video_id: str | None = None
) -> list[FrameHit]:
    """Return up to ``top`` frames by their best region, best first."""
    asked = top * REGIONS_A_FRAME
    while True:
        found = index.search_video(video_id, vector, asked) if video_id else index.search(vector, asked)
        frames = _frames_of(store, found)
        if len(frames) >= top or len(found) < asked:
            return frames[:top]
        asked *= 4


def frame_heat(video: VideoStore, hit: FrameHit, vector: Floats) -> FrameHeat:
    """Return how much every pixel and voxel of a frame says of a unit vector (E,)."""
    ensure_language(video)
    pixels = region_rows(video, slice(hit.row, hit.row + 1))[0]
    grid = language_grid(video, hit.row)
    regions = cosine(video.read(SEMANTICS, "region_embeddings", grid.regions), vector[None])
    return FrameHeat(hit, Heat(_pixel_scores(video, pixels, vector), grid.scores(regions)[..., 0]))


def _frames_of(store: Store, hits: list[RegionHit]) -> list[FrameHit]:
    offsets = {video_id: store.video(video_id).read(SEMANTICS, "region_offset") for video_id in _ids(hits)}
    best: dict[tuple[str, int], float] = {}
    for hit in hits:
        row = int(np.searchsorted(offsets[hit.video_id], hit.region, side="right")) - 1
        best.setdefault((hit.video_id, row), hit.score)
    return [FrameHit(video_id, row, score) for (video_id, row), score in best.items()]


def _ids(hits: list[RegionHit]) -> set[str]:
    return {hit.video_id for hit in hits}


def _pixel_scores(video: VideoStore, pixels: NDArray[np.int64], vector: Floats) -> Floats:
    scores, owned = np.full(pixels.shape, np.nan, np.float32), pixels >= 0
    if owned.any():
        first, last = int(pixels[owned].min()), int(pixels[owned].max())
        regions = video.read(SEMANTICS, "region_embeddings", slice(first, last + 1))
        scores[owned] = cosine(regions, vector[None])[pixels[owned] - first, 0]
    return scores


def _best_voxels(store: Store, heats: tuple[FrameHeat, ...], top: int) -> list[VoxelHit]:
    """Return the best voxels of some frames; a place that several frames of a clip see comes once."""
    found: dict[tuple[str, int, tuple[float, ...]], VoxelHit] = {}
    for heat in heats:
        clip_id = int(store.video(heat.hit.video_id).read(FRAMES, "clip_id", slice(heat.hit.row, heat.hit.row + 1))[0])
        for hit in _voxels_of(store.video(heat.hit.video_id), heat, top):
            found.setdefault((hit.video_id, clip_id, tuple(round(metres, 2) for metres in hit.centre)), hit)
    return sorted(found.values(), key=lambda hit: -hit.score)[:top]


def _voxels_of(video: VideoStore, heat: FrameHeat, top: int) -> Iterator[VoxelHit]:
    index = np.argwhere(np.isfinite(heat.heat.voxels))
    scores = heat.heat.voxels[tuple(index.T)]
    row = slice(heat.hit.row, heat.hit.row + 1)
    centres = world_centres(*(video.read(OCCUPANCY, name, row)[0] for name in ("origin", "grid_from_world")))
    for place in np.argsort(-scores, kind="stable")[:top]:
        x, y, z = index[place].tolist()
        a, b, c = centres[x, y, z].tolist()
        yield VoxelHit(heat.hit.video_id, heat.hit.row, (x, y, z), (a, b, c), float(scores[place]))
