"""A retrieval benchmark from rendered tours: what is true of the things in a frame, with exact masks."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count as counting

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.classes import SemanticClass
from pipeline.contract.errors import BrokenRetrievalSet
from pipeline.contract.progress import Progress, counted, silent
from pipeline.contract.records import WHOLE, Box
from pipeline.geometry.voxels import voxelize_frame
from pipeline.language.mixtures import mix
from pipeline.language.retrieval.benchmark import Benchmark, RetrievalQuery, stack
from pipeline.language.retrieval.descriptions import describe
from pipeline.settings import Settings
from pipeline.stages.occupancy.stage import occupancy
from pipeline.store.groups import FRAMES, SCENE
from pipeline.store.rows import clip_rows, stored_clips
from pipeline.store.store import Store
from pipeline.store.video import VideoStore
from pipeline.tours.frozen import frozen_among, refuse_frozen
from pipeline.tours.seeds import DEFAULT_SEEDS, SCORED_SEEDS_START
from pipeline.tours.tour import Tour
from pipeline.tours.truth import TrueClip, tour_of, true_clip

VOXELS_MIN = 8
"""Visible voxels that a text must mean, or it is no fair question."""


def tour_benchmark(
    store: Store, settings: Settings, count: int = 30, seed: int = 0, progress: Progress = silent
) -> Benchmark:
    """Return ``count`` queries, or as many as there are, about a dataset's tours for scores.

    Raises:
        BrokenRetrievalSet: no tour of the dataset is for scores, or nothing in them can be asked for.
        FrozenSeeds: some are frozen, and no look at them was logged.
    """
    video_ids = store.video_ids()
    refuse_frozen(frozen_among(store, video_ids))
    looked_at = counted(video_ids, progress, "queries")
    asked = [one for video_id in looked_at for one in _video_queries(store.video(video_id), settings)]
    if not asked:
        raise BrokenRetrievalSet(
            f"no tour of this dataset is for scores (seeds from {SCORED_SEEDS_START} on) and shows anything to "
            f"ask for: build some, for instance with: youtube-occ score --seeds {DEFAULT_SEEDS}"
        )
    return stack([asked[row] for row in select([one.queries[0] for one in asked], count, seed)])


def select(queries: Sequence[RetrievalQuery], count: int, seed: int) -> list[int]:
    """Return ``count`` of the queries in their order: as many of each kind as can be, and of a kind different texts."""
    rows = np.random.default_rng(seed).permutation(len(queries)).tolist()
    for name in ("text", "kind"):
        turns = _turns([getattr(queries[row], name) for row in rows])
        rows = [rows[place] for place in np.argsort(turns, kind="stable")]
    return sorted(rows[:count])


def _turns(names: Sequence[str]) -> list[int]:
    """Return how often each name came before."""
    counters = {name: counting() for name in names}
    return [next(counters[name]) for name in names]


def _video_queries(video: VideoStore, settings: Settings) -> Iterator[Benchmark]:
    """Yield the queries about the middle frame of every clip of a tour for scores, one by one."""
    tour = tour_of(video) if video.has_group(SCENE) else None
    if tour is None or tour.seed < SCORED_SEEDS_START:
        return
    boxes = {clip.clip_id: clip.box for clip in stored_clips(video)}
    for clip_id, rows in clip_rows(video):
        registered = video.read(SCENE, "registered", rows)
        if registered.any():
            frame_index = video.read(FRAMES, "frame_index", rows)[registered]
            middle, box = len(frame_index) // 2, boxes.get(clip_id, WHOLE)
            yield from frame_queries(tour, video.video_id, frame_index, middle, settings, box)


def frame_queries(
    tour: Tour, video_id: str, frame_index: NDArray[np.int64], frame: int, settings: Settings, box: Box = WHOLE
) -> Iterator[Benchmark]:
    """Yield every query about one frame of a clip, whose true grid the whole clip fills.

    frame_index: (n,), the clip's frames in the video; frame: which of them is asked about; box: the part of the video
    that the frames show.
    """
    truth = true_clip(tour, frame_index, box).for_grids()
    rule = settings.of(occupancy).of_points()
    grid = voxelize_frame(truth.scene, truth.semantics, frame, rule, SemanticClass.UNKNOWN)
    alone = np.arange(len(frame_index)) == frame
    things, seen = (
        _instances(truth, registered, grid.grid_from_world, grid.origin)
        for registered in (truth.scene.registered, alone)
    )
    to_corner = np.eye(4)
    to_corner[:3, 3] = -grid.origin
    grid_from_camera = to_corner @ grid.grid_from_world @ truth.scene.camera_to_world[frame].astype(np.float64)
    split = "validation" if tour.seed % 2 else "test"
    occupied, visible = things > 0, (things > 0) & (seen > 0)
    for said in describe(tour.house, np.unique(things[occupied]).tolist()):
        mask = np.isin(things, said.instances)
        if (mask & visible).sum() >= VOXELS_MIN and (visible & ~mask).any():
            query = RetrievalQuery(
                text=said.text,
                video_id=video_id,
                frame_index=int(frame_index[frame]),
                split=split,
                kind=said.kind,
                label=said.label.name.lower(),
            )
            yield Benchmark((query,), grid_from_camera[None], occupied[None], visible[None], mask[None])


def _instances(
    truth: TrueClip, registered: NDArray[np.bool_], grid_from_world: NDArray[np.float64], origin: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Return the instance (60, 60, 36) with most points of some frames in every voxel of a grid, 0 = none."""
    regions = truth.semantics.regions.astype(np.int64)
    mixtures = mix(
        replace(truth.scene, registered=registered), np.where(regions > 0, regions, -1), grid_from_world, origin
    )
    owners: NDArray[np.int64] = np.append(mixtures.dominant(), 0)[mixtures.rows_of_grid()]
    return owners
