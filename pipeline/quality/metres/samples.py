"""Clips whose true size is known, with what they show of it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from pipeline.contract.arrays import Images
from pipeline.contract.errors import ClipError
from pipeline.contract.records import WHOLE, Reconstruction
from pipeline.geometry.poses import depth_errors, resize_nearest, similarity_scale
from pipeline.quality.truth.film import TrueFilm
from pipeline.stages.reconstruction.rows import unit_depth
from pipeline.stages.scene.evidence import ScaleEvidence
from pipeline.stages.scene.heights import Levels
from pipeline.stages.scene.metric import Upright, upright
from pipeline.stages.scene.settings import SceneSettings
from pipeline.stages.scene.worlds import JoinedClips, Stored, find_worlds
from pipeline.store.groups import FRAMES
from pipeline.store.rows import clip_rows, read_pictures, read_reconstruction, stored_clips
from pipeline.store.video import VideoStore
from pipeline.tours.settings import TourSettings
from pipeline.tours.tour import Tour
from pipeline.tours.truth import as_stored, true_clip
from pipeline.tours.variety import HARD_HOUSES, HARD_MOVES

EXACT = {"plain, exact": TourSettings(), "wide, exact": TourSettings(houses=HARD_HOUSES, moves=HARD_MOVES)}
"""Kinds of rendered houses whose cameras and depth are taken as they truly are, but for noise."""

FRAMES_A_SHOT, SHAPE, NOISE = 10, (120, 160), 0.01


class SizedClip(BaseModel):
    """A clip whose size is known. log_metres: of its world's unit in truth, natural logarithm, as this clip tells it.

    kind: where it is from. world_id: the first clip of its world; levels, evidence: what that shows, in its unit.
    """

    model_config = ConfigDict(frozen=True)

    kind: str
    video: str
    clip_id: int
    world_id: int
    log_metres: float
    levels: Levels
    evidence: ScaleEvidence


def exact_clips(kind: str, seed: int, settings: TourSettings) -> Iterator[SizedClip]:
    """Yield the indoor shots of a tour, each as a clip; those that show no up are none."""
    tour, draw = Tour.from_seed(seed, settings), np.random.default_rng(seed)
    for shot in tour.shots:
        if shot.kind != "indoor" or tour.left_out(shot):
            continue
        index = np.linspace(shot.start_frame, shot.end_frame - 1, FRAMES_A_SHOT).round().astype(np.int64)
        found, log_unit = _seen(tour, index, draw)
        try:
            stands, _, _ = upright(found, SceneSettings())
        except ClipError:
            continue
        yield _sized(kind, str(seed), (shot.shot_id, shot.shot_id), stands, log_unit)


def _seen(tour: Tour, index: NDArray[np.int64], draw: np.random.Generator) -> tuple[Reconstruction, float]:
    """Return true cameras and depth with noise in units of the median depth, and the logarithm of that."""
    truth = true_clip(tour, index)
    scene = truth.for_grids().scene
    known = scene.depth if truth.elsewhere is None else np.where(truth.elsewhere, np.float32(0), scene.depth)
    depth = resize_nearest(known, SHAPE)
    depth = (depth * (1 + NOISE * draw.normal(size=depth.shape))).astype(np.float32)
    seen = (depth > 0).astype(np.float32)
    found = Reconstruction(scene.intrinsics, scene.camera_to_world, depth, seen, scene.registered, log_scale=0.0)
    in_units = unit_depth(found)
    return replace(in_units, log_scale=float("nan")), in_units.log_scale


def stored_sizes(
    video: VideoStore, film: TrueFilm, kind: str, settings: SceneSettings
) -> tuple[list[SizedClip], list[SizedClip]]:
    """Return the clips of a stored video that stand upright and whose truth is known.

    Once with those joined that share frames, as the stage ``scene`` does, and once each as a world of its own.
    """
    numbers, rows = video.read(FRAMES, "frame_index"), dict(clip_rows(video))
    boxes = {clip.clip_id: clip.box for clip in stored_clips(video)}
    standing, cleaned, true = dict[int, Upright](), dict[int, Reconstruction](), dict[int, float]()
    for clip_id, places in rows.items():
        found = read_reconstruction(video, places)
        known = found.registered & film.known(numbers[places])
        if not known.any():
            continue
        shown = film.clip(numbers[places][known], boxes.get(clip_id, WHOLE))
        truth = as_stored(video, shown, np.arange(places.start, places.stop)[known])
        depth = found.depth[known]
        true[clip_id] = float(np.log(depth_errors(depth, resize_nearest(truth.depth_of_room, depth.shape[1:])).scale))
        with suppress(ClipError):
            standing[clip_id], cleaned[clip_id], _ = upright(found, settings)
    shared = {clip_id: numbers[places] for clip_id, places in rows.items()}
    apart = {clip_id: np.array([-1 - clip_id]) for clip_id in rows}

    def pictures(clip_id: int, chosen: NDArray[np.int64]) -> Images:
        return read_pictures(video, rows[clip_id].start + chosen)

    def sized(frames: Mapping[int, NDArray[np.int64]], wanted: SceneSettings) -> list[SizedClip]:
        worlds, _ = find_worlds(standing, Stored(frames, cleaned.__getitem__, pictures), wanted)
        return [_of_world(kind, video.video_id, one, member, true[member]) for one in worlds for member in one.members]

    return sized(shared, settings), sized(apart, settings.model_copy(update={"join_shots": False}))


def _of_world(kind: str, video: str, world: JoinedClips, clip_id: int, log_metres: float) -> SizedClip:
    to_world = float(np.log(similarity_scale(world.members[clip_id])))
    return _sized(kind, video, (clip_id, world.world_id), world.stands, log_metres - to_world)


def _sized(kind: str, video: str, ids: tuple[int, int], stands: Upright, log_metres: float) -> SizedClip:
    return SizedClip(
        kind=kind,
        video=video,
        clip_id=ids[0],
        world_id=ids[1],
        log_metres=log_metres,
        levels=stands.levels,
        evidence=stands.evidence,
    )


def kept(path: Path, make: Iterator[SizedClip]) -> list[SizedClip]:
    """Return the clips of a file, one a line, which is made first where it is not there."""
    if not path.exists():
        lines = [f"{clip.model_dump_json()}\n" for clip in make]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(lines), encoding="utf-8")
    return [SizedClip.model_validate_json(line) for line in path.read_text(encoding="utf-8").splitlines()]


def by_video(clips: Sequence[SizedClip]) -> list[list[SizedClip]]:
    """Return clips in groups, one a video."""
    groups: dict[tuple[str, str], list[SizedClip]] = {}
    for clip in clips:
        groups.setdefault((clip.kind, clip.video), []).append(clip)
    return list(groups.values())
