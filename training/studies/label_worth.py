"""What a dataset's labels are worth to who learns from them: probes taught by grids partly exact, or partly doubted.

One network's features stay as they are; what changes is the grids (and with exact scale or depth the network's depth
map, which they must fit) and how much their rows count. All are scored on the same exact rooms, unseen.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.symphonies import Symphonies
from pipeline.contract.classes import SemanticClass
from pipeline.contract.grid import VOXEL_SIZE
from pipeline.contract.progress import Progress, silent
from pipeline.tours.exact_parts import ClipWithTruth, ExactParts, clips_with_truth
from pipeline.tours.truth import tour_of
from training.data import Frames, Sample, StoredFrames
from training.data.export import with_nyu_camera
from training.data.sample import PICTURE_SHAPE
from training.data.stored import at_picture_size
from training.errors import UnusableDataset
from training.probes.run import ProbeSettings, probe, score
from training.probes.scores import ProbeScore
from training.probes.voxels import VoxelRows, drawn_voxels, voxel_rows

AS_BUILT: ExactParts = (False, False, False)
DISTANCE_M = 2.5
"""Of most of what is seen; there a scale that is off by ``VOXEL_SIZE / DISTANCE_M`` moves a surface by a voxel."""


@dataclass
class ListedFrames:
    """Samples in memory. origin: says what their grids are. sigma: by name, that of the logarithm of their scale."""

    origin: str
    samples: tuple[Sample, ...]
    sigma: Mapping[str, float]

    @property
    def names(self) -> Sequence[str]:
        """Those of the samples."""
        return [sample.name for sample in self.samples]

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Sample:
        return self.samples[index]

    def unknown_as_empty(self) -> "ListedFrames":
        """Return them with every unknown voxel called empty."""
        filled = tuple(
            replace(sample, labels=np.where(sample.labels == SemanticClass.UNKNOWN, np.uint8(0), sample.labels))
            for sample in self.samples
        )
        return replace(self, origin=f"{self.origin}, unknown as empty", samples=filled)


def listed(frames: StoredFrames, kinds: Sequence[ExactParts], every: int = 1) -> dict[ExactParts, ListedFrames]:
    """Return every n-th frame of a dataset of tours with its grid filled anew, by which parts of it are exact.

    Regions of the samples are the confidence of their labels, 0..255.

    Raises:
        UnusableDataset: a video is no rendered tour, or no frame is left.
    """
    places = {place: index for index, place in enumerate(frames.rows)}
    found: dict[ExactParts, list[Sample]] = {parts: [] for parts in kinds}
    sigma: dict[str, float] = {}
    for video_id in frames.rows.videos:
        video = frames.store.video(video_id)
        tour = tour_of(video)
        if tour is None:
            raise UnusableDataset(f"{video_id} is no rendered tour, so that its exact labels are not known")
        for rows, clip in clips_with_truth(video, tour):
            for frame in range(0, rows.stop - rows.start, every):
                if (index := places.get((video_id, rows.start + frame))) is not None:
                    sigma[frames.names[index]] = clip.scene.scale_sigma
                    for parts, sample in _samples(frames[index], clip, frame, kinds):
                        found[parts].append(sample)
    if not sigma:
        raise UnusableDataset(f"{frames.origin}: no frame of a clip is left at every {every}th")
    return {
        parts: ListedFrames(f"{frames.origin}, every {every}th, exact {parts}", tuple(samples), sigma)
        for parts, samples in found.items()
    }


def _samples(
    stored: Sample, clip: ClipWithTruth, frame: int, kinds: Sequence[ExactParts]
) -> Iterator[tuple[ExactParts, Sample]]:
    doubt = clip.semantics.confidence
    certain = np.full(PICTURE_SHAPE, 255) if doubt is None else at_picture_size(doubt[frame])
    for parts in kinds:
        scene, grid = clip.with_exact(parts)[0], clip.grid(parts, frame)
        sample = replace(
            stored,
            depth=at_picture_size(scene.depth[frame]).astype(np.float32),
            regions=certain.astype(np.int32),
            intrinsics=scene.intrinsics[frame],
            camera_to_world=(grid.grid_from_world @ scene.camera_to_world[frame]).astype(np.float32),
            labels=grid.labels,
            origin=grid.origin.astype(np.float32),
        )
        yield parts, with_nyu_camera(sample)


def by_scale(rows: VoxelRows, frames: ListedFrames) -> NDArray[np.float64]:
    """Return what rows (n,) count by their frame's scale: half where it moves a surface by a voxel, one deviation."""
    sigma = np.array([frames.sigma[name] for name in rows.names])
    voxels = np.nan_to_num(sigma, nan=0.0) / (VOXEL_SIZE / DISTANCE_M)
    return np.asarray((1 / (1 + voxels**2))[rows.rooms], np.float64)


def by_confidence(frames: ListedFrames, settings: ProbeSettings) -> NDArray[np.float64]:
    """Return what the voxels (n,) of a probe count by the confidence of the label in the pixel that shows them."""
    parts = []
    for sample in frames.samples:
        columns, lines = sample.projection.pixels[drawn_voxels(sample, settings.voxels, settings.seed)].T
        parts.append(np.maximum(sample.regions[lines, columns], 1) / 255)
    return np.concatenate(parts)


def worth(
    network: Symphonies,
    kinds: Mapping[ExactParts, ListedFrames],
    test: Frames,
    settings: ProbeSettings,
    folder: Path,
    seed: int = 0,
    progress: Progress = silent,
) -> Iterator[ProbeScore]:
    """Probe a network with every kind of grid, then with those as built whose rows are doubted; all on the same rooms.

    seed: of the network. Scores are called by what is exact, or by what the rows count by.
    """
    scored = voxel_rows(network, test, settings.voxels, settings.seed, folder, progress)

    def rows_of(frames: Frames) -> VoxelRows:
        return voxel_rows(network, frames, settings.voxels, settings.seed, folder, progress)

    for parts, frames in kinds.items():
        names = [name for name, exact in zip(("scale", "depth", "names"), parts, strict=True) if exact]
        called = ", ".join(names) or "nothing"
        yield score(called, seed, len(frames), probe(rows_of(frames), settings), scored)
    built = kinds[AS_BUILT]
    rows = rows_of(built)
    scale, confidence = by_scale(rows, built), by_confidence(built, settings)
    for called, importance in (("scale_sigma", scale), ("confidence", confidence), ("both", scale * confidence)):
        yield score(f"nothing, by {called}", seed, len(built), probe(rows, settings, importance), scored)
    emptied = built.unknown_as_empty()
    yield score("nothing, unknown as empty", seed, len(built), probe(rows_of(emptied), settings), scored)
