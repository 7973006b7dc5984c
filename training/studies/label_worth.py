"""What a dataset's labels are worth to who learns from them: probes taught by grids partly exact, or partly doubted.

One network's features stay as they are; what changes is the grids (and with exact scale or depth the network's depth
map, which they must fit) and how much their rows count. All are scored on the same exact rooms, unseen.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from models.symphonies import Symphonies
from pipeline.contract.classes import OCCUPIED_CLASSES, SemanticClass
from pipeline.contract.progress import Progress, named, silent
from pipeline.store.store import Store
from pipeline.tours.exact_parts import COMBINATIONS, ClipWithTruth, ExactParts, clips_with_truth
from training.checkpoints import networks_of
from training.data import Frames, Sample, StoredFrames
from training.data.export import with_nyu_camera
from training.data.label_weights import scale_weights
from training.data.sample import PICTURE_SHAPE
from training.data.stored import at_picture_size
from training.probes.run import ProbeSettings, folds_of, probe, score
from training.probes.scores import BESIDE_FLOOR, ProbeScore, class_intervals, gain_interval, miou_interval
from training.probes.voxels import VoxelRows, drawn_voxels, house_of, voxel_rows
from training.studies.rooms import one_side, tour_behind

AS_BUILT: ExactParts = (False, False, False)
DISTANCE_M = 2.5
"""Of most of what is seen."""


class WorthSettings(BaseModel):
    """What is learned from, and by how much it is judged."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    every: int = Field(3, ge=1, description="of the dataset's frames every n-th teaches; neighbours are much alike")
    test_rooms: int = Field(50, ge=2, description="rooms that are scored, of houses that no dataset has")
    probe: ProbeSettings = ProbeSettings()


def run_worth(
    settings: WorthSettings, networks: Sequence[Path], store: Store, folder: Path, rooms: Path, progress: Progress
) -> str:
    """Probe networks with every kind of labels; returns the report, also as ``worth.md``, with ``worth.json``.

    networks: their folders, or none for one of random values. rooms: folder of rooms to score; those that are not there
    are rendered.

    Raises:
        UnusableDataset: there is no dataset, it is of one video, or a video is no rendered tour.
        WrongCheckpoint: a folder holds no finished network.
    """
    found = networks_of(networks)
    frames = StoredFrames(store, "all", every=settings.every)
    folds_of(np.array([house_of(name) for name in frames.names]), settings.probe)
    kinds = listed(frames, COMBINATIONS, progress)
    test = one_side(rooms, "test", settings.test_rooms, progress)
    scores: list[ProbeScore] = []
    for seed, (name, network) in enumerate(found.items()):
        told = named(progress, name)
        scores += worth(network, kinds, test, settings.probe, folder / "voxels", seed, told)
        report = worth_report(scores)
        (folder / "worth.md").write_text(report)
        (folder / "worth.json").write_text(json.dumps([score.model_dump() for score in scores]))
    return report


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


def listed(
    frames: StoredFrames, kinds: Sequence[ExactParts], progress: Progress = silent
) -> dict[ExactParts, ListedFrames]:
    """Return the frames of a dataset of tours with their grids filled anew, by which parts of them are exact.

    Regions of the samples are the confidence of their labels, 0..255.

    Raises:
        UnusableDataset: a video is no rendered tour.
    """
    found: dict[ExactParts, list[Sample]] = {parts: [] for parts in kinds}
    sigma: dict[str, float] = {}
    for index, clip, frame in _with_truth(frames):
        sigma[frames.names[index]] = clip.scene.scale_sigma
        for parts, sample in _samples(frames[index], clip, frame, kinds):
            found[parts].append(sample)
        progress("grids", len(sigma), len(frames))
    return {
        parts: ListedFrames(f"{frames.origin}, {called(parts)}", tuple(samples), sigma)
        for parts, samples in found.items()
    }


def called(parts: ExactParts) -> str:
    """Return what is exact, in words."""
    names = [name for name, exact in zip(("scale", "depth", "names"), parts, strict=True) if exact]
    return f"exact {', '.join(names)}" if names else "as built"


def _with_truth(frames: StoredFrames) -> Iterator[tuple[int, ClipWithTruth, int]]:
    """Yield the index of every frame, its clip, and its place there."""
    places = {place: index for index, place in enumerate(frames.rows)}
    for video_id in frames.rows.videos:
        tour_behind(frames.store, video_id)  # refused before the first one is filled
    for video_id in frames.rows.videos:
        for rows, clip in clips_with_truth(frames.store.video(video_id), tour_behind(frames.store, video_id)):
            for row in range(rows.start, rows.stop):
                if (index := places.get((video_id, row))) is not None:
                    yield index, clip, row - rows.start


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
    """Return what rows (n,) count by their frame's scale: half where one deviation moves most surfaces by a voxel."""
    sigma = np.nan_to_num([frames.sigma[name] for name in rows.names], nan=0.0)
    return scale_weights(sigma, DISTANCE_M)[rows.rooms]


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
        yield score(called(parts), seed, len(frames), probe(rows_of(frames), settings), scored)
    built = kinds[AS_BUILT]
    rows = rows_of(built)
    scale, confidence = by_scale(rows, built), by_confidence(built, settings)
    for doubt, importance in (("scale_sigma", scale), ("confidence", confidence), ("both", scale * confidence)):
        found = probe(rows, settings, importance)
        yield score(f"{called(AS_BUILT)}, by {doubt}", seed, len(built), found, scored)
    emptied = probe(rows_of(built.unknown_as_empty()), settings)
    yield score(f"{called(AS_BUILT)}, unknown as empty", seed, len(built), emptied, scored)


def worth_report(scores: Sequence[ProbeScore]) -> str:
    """Return what every kind of labels is worth and the IoU of every class, in points, as Markdown."""
    by_kind: dict[str, list[ProbeScore]] = {}
    for found in scores:
        by_kind.setdefault(found.start, []).append(found)
    built = by_kind[called(AS_BUILT)]
    frames, networks = built[0].rooms, len(built)
    lines = [f"{frames} frames, networks: {networks}; in brackets 95 % intervals, houses and networks drawn again.", ""]
    lines += ["| labels | mIoU | against those as built | of ten classes, without floor |", "|---" * 4 + "|"]
    for kind, theirs in by_kind.items():
        gains = [gain_interval(theirs, built, classes).points("+") for classes in (OCCUPIED_CLASSES, BESIDE_FLOOR)]
        lines.append(f"| {kind} | {miou_interval(theirs).points()} | {' | '.join(gains)} |")
    lines += ["", "| IoU | " + " | ".join(label.name.lower() for label in OCCUPIED_CLASSES) + " |", "|---" * 12 + "|"]
    for kind, theirs in by_kind.items():
        cells = [f"{100 * found.value:.1f}" for found in class_intervals(theirs).values()]
        lines.append(f"| {kind} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
