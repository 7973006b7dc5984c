"""Scores of one stored tour against its truth, stage by stage: counts and per-clip errors that can be added up.

Rows follow the plan: cuts, indoor accuracy, cameras and depth, up and scale and floor, labels, grids.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.classes import SemanticClass
from pipeline.contract.overlap import OverlapCounts, overlap
from pipeline.contract.records import WHOLE, MetricScene, Semantics, without_moving
from pipeline.geometry.filling import LabelledClip, VoxelSettings, fill_grid
from pipeline.geometry.poses import depth_errors, focal_error, pose_errors, resize_nearest
from pipeline.geometry.voxels import grid_from_estimate, voxelize_frame
from pipeline.quality.scores import ClipErrors, CutCounts, Overlap, TourScores
from pipeline.settings import Settings
from pipeline.stages.clips.settings import ClipsSettings
from pipeline.stages.clips.stage import clips
from pipeline.stages.occupancy.neighbours import Neighbours
from pipeline.stages.occupancy.settings import label_of_unlabelled
from pipeline.stages.occupancy.stage import occupancy
from pipeline.store.groups import FRAMES, SOURCE_VIDEO
from pipeline.store.provenance import Provenance
from pipeline.store.rows import (
    clip_rows,
    read_labels,
    read_probability_right,
    read_reconstruction,
    read_scene,
    stored_clips,
)
from pipeline.store.video import VideoStore
from pipeline.tours.tour import Tour
from pipeline.tours.truth import TrueClip, as_stored, true_clip

CUT_TOLERANCE = 2
"""Frames within which a cut counts as found."""


def measure_tour(video: VideoStore, tour: Tour, settings: Settings, made: Provenance) -> TourScores:
    """Compare all stored results of a tour with its truth.

    made: how the grids were made; they are filled again by the same rule, in the true grids.
    """
    unlabelled = label_of_unlabelled(made.code_version)
    right, judged, in_transition = _indoor_accuracy(video, tour)
    filled = settings.of(occupancy).as_made(made.code_version)
    neighbours = Neighbours(video, filled.clips_beside)
    errors, shots, totals = [], set(), [OverlapCounts.nothing() for _ in range(3)]
    boxes = {clip.clip_id: clip.box for clip in stored_clips(video)}
    for place, (clip_id, rows) in enumerate(neighbours.clips):
        scene = read_scene(video, rows)
        if scene.registered.sum() < 2:  # errors of cameras are those of pairs
            continue
        semantics = read_labels(video, rows)
        truth = true_clip(tour, video.read(FRAMES, "frame_index", rows), boxes.get(clip_id, WHOLE))
        scene, semantics, truth = _registered_only(scene, semantics, as_stored(video, truth, rows))
        shots |= set(truth.shot_id.tolist())
        errors.append(clip_errors(video, clip_id, rows, scene, truth))
        counted = overlaps(scene, semantics, truth, filled, unlabelled, neighbours.of(place)[1])
        totals = [total + more for total, more in zip(totals, counted, strict=True)]
    pixels, grids, grids_true_scale = (Overlap.of(total) for total in totals)
    return TourScores(
        video_id=video.video_id,
        fingerprint=made.fingerprint,
        cuts=_cut_counts(video, tour, settings.of(clips)),
        transition_frames=in_transition,
        indoor_right=right,
        indoor_clips=judged,
        indoor_shots=sum(shot.kind == "indoor" and not tour.left_out(shot) for shot in tour.shots),
        shots_reconstructed=len(shots),
        clips=tuple(errors),
        pixels=pixels,
        grids=grids,
        grids_true_scale=grids_true_scale,
    )


def _cut_counts(video: VideoStore, tour: Tour, settings: ClipsSettings) -> CutCounts:
    from pipeline.stages.clips.shots import cut_scores, detect_shots

    with video.local_file(SOURCE_VIDEO) as path:
        transitions = detect_shots(path, settings, lambda _: None).transitions
    found, true = [t.start_frame for t in transitions if t.kind == "cut"], tour.cuts
    matched = round(cut_scores(found, true, CUT_TOLERANCE).recall * len(true))
    return CutCounts(found=len(found), true=len(true), matched=matched)


def _indoor_accuracy(video: VideoStore, tour: Tour) -> tuple[int, int, int]:
    kept = set(np.unique(video.read(FRAMES, "clip_id")).tolist())
    right, in_transition, cut = 0, 0, stored_clips(video)
    for clip in cut:
        frames = [tour.truth(int(index)) for index in clip.frame_index]
        indoor = sum(frame.kind == "indoor" and not frame.left_out for frame in frames) * 2 > len(frames)
        right += indoor == (clip.clip_id in kept)
        in_transition += sum(frame.in_transition for frame in frames)
    return right, len(cut), in_transition


def _registered_only(
    scene: MetricScene, semantics: Semantics, truth: TrueClip
) -> tuple[MetricScene, Semantics, TrueClip]:
    rows = scene.registered
    return (
        rows_of(scene, rows),
        labels_of(semantics, rows),
        replace(
            truth,
            scene=rows_of(truth.scene, rows),
            semantics=labels_of(truth.semantics, rows),
            shot_id=truth.shot_id[rows],
            pinhole=truth.pinhole and (rows_of(truth.pinhole[0], rows), labels_of(truth.pinhole[1], rows)),
            elsewhere=None if truth.elsewhere is None else truth.elsewhere[rows],
        ),
    )


def labels_of(semantics: Semantics, rows: NDArray[np.bool_]) -> Semantics:
    """Return the labels of some frames, rows (n,), of a clip."""
    return Semantics(
        labels=semantics.labels[rows],
        regions=semantics.regions[rows],
        confidence=None if semantics.confidence is None else semantics.confidence[rows],
        moving=None if semantics.moving is None else semantics.moving[rows],
    )


def rows_of(scene: MetricScene, rows: NDArray[np.bool_]) -> MetricScene:
    """Return some frames, rows (n,), of a scene."""
    return replace(
        scene,
        intrinsics=scene.intrinsics[rows],
        camera_to_world=scene.camera_to_world[rows],
        depth=scene.depth[rows],
        confidence=scene.confidence[rows],
        registered=scene.registered[rows],
        floor_height=None if scene.floor_height is None else scene.floor_height[rows],
    )


def clip_errors(
    video: VideoStore,
    clip_id: int,
    rows: slice,
    scene: MetricScene,
    truth: TrueClip,
    compared: NDArray[np.bool_] | None = None,
) -> ClipErrors:
    """Return how far a stored clip, in ``rows`` of its video's arrays, is from the truth.

    Depth is that of the room: panes, mirrors and people are no part of it. scene, truth: of the frames that are
    compared. compared: (n,) which of the clip's these are; by default those that are registered.
    """
    reconstruction = read_reconstruction(video, rows)
    depth = reconstruction.depth[reconstruction.registered if compared is None else compared]
    poses = pose_errors(scene.camera_to_world, truth.scene.camera_to_world)
    errors = depth_errors(depth, resize_nearest(truth.depth_of_room, depth.shape[1:]))
    true_scale = scale_to_truth(scene, truth)
    return ClipErrors(
        video_id=video.video_id,
        clip_id=clip_id,
        frames=rows.stop - rows.start,
        registered=int(reconstruction.registered.sum()),
        focal_error=focal_error(scene.intrinsics, truth.scene.intrinsics),
        rotation_median=float(np.median(poses.rotation)),
        direction_median=float(np.median(poses.translation_direction)),
        rotation_auc5=poses.rotation_auc(5),
        auc5=poses.auc(5),
        auc10=poses.auc(10),
        auc20=poses.auc(20),
        depth_abs_rel=errors.absolute_relative,
        depth_delta=errors.delta,
        depth_given=errors.given,
        up_degrees=_up_error(scene, truth),
        floor_m=_floor_error(scene, truth, true_scale),
        scale_error=abs(1 / true_scale - 1),
        probability_right=probability_of(video, rows),
        rotation_most=float(np.percentile(poses.rotation, 90)),
    )


def with_probabilities(video: VideoStore, scores: TourScores) -> TourScores:
    """Return scores of an earlier release with the probabilities that are stored beside what was scored."""
    rows = dict(clip_rows(video))
    found = {clip.clip_id: probability_of(video, rows[clip.clip_id]) for clip in scores.clips if clip.clip_id in rows}
    clips = (clip.model_copy(update={"probability_right": found.get(clip.clip_id)}) for clip in scores.clips)
    return scores.model_copy(update={"clips": tuple(clips)})


def probability_of(video: VideoStore, rows: slice) -> float | None:
    """Return how probable it is that the reconstruction of a clip is right, as stored; None where it is not known."""
    found = float(read_probability_right(video, slice(rows.start, rows.start + 1))[0])
    return found if np.isfinite(found) else None


def scale_to_truth(scene: MetricScene, truth: TrueClip) -> float:
    """Return the factor that gives the estimated scene its true size: median of true depth over estimated."""
    return depth_errors(scene.depth, resize_nearest(truth.depth_of_room, scene.depth.shape[1:])).scale


def _up_error(scene: MetricScene, truth: TrueClip) -> float:
    up, true_up = scene.camera_to_world[:, 2, :3], truth.scene.camera_to_world[:, 2, :3]
    cosine = np.clip((up * true_up).sum(axis=1), -1, 1)
    return float(np.median(np.degrees(np.arccos(cosine))))


def _floor_error(scene: MetricScene, truth: TrueClip, scale: float) -> float:
    height, true_height = scene.camera_to_world[:, 2, 3] * scale, truth.scene.camera_to_world[:, 2, 3]
    return float(np.median(np.abs(height - true_height)))


def overlaps(
    scene: MetricScene,
    semantics: Semantics,
    truth: TrueClip,
    settings: VoxelSettings,
    unlabelled: SemanticClass = SemanticClass.UNNAMED,
    beside: Sequence[LabelledClip] = (),
    counted: NDArray[np.bool_] | None = None,
) -> tuple[OverlapCounts, OverlapCounts, OverlapCounts]:
    """Count labels of pixels, of grids as they are, and of grids given their true scale, against the truth's.

    Grids are compared in the true grid of each frame, laid on that frame's camera. unlabelled: what a voxel of the
    estimate is whose points have no label; in the truth, whose labels are exact, that is outdoors and unknown. beside:
    as of ``fill_grid``; what they show and the clip does not is not counted, since the truth is that of its frames.
    counted: (n,) the frames whose grids count; by default all.
    """
    true_labels = resize_nearest(truth.semantics.labels, semantics.labels.shape[1:])
    pixels, scene_at_rest = overlap(semantics.labels, true_labels), without_moving(scene, semantics)
    grids: list[OverlapCounts] = []
    grids_true_scale: list[OverlapCounts] = []
    scale, straight, exact = scale_to_truth(scene, truth), truth.for_grids(), settings.of_points()
    for frame in np.flatnonzero(np.ones(len(true_labels)) if counted is None else counted).tolist():
        camera, true_camera = scene.camera_to_world[frame], truth.scene.camera_to_world[frame]
        true_grid = voxelize_frame(straight.scene, straight.semantics, frame, exact, SemanticClass.UNKNOWN)
        for size, total in ((1.0, grids), (scale, grids_true_scale)):
            into_grid = grid_from_estimate(true_grid.grid_from_world, true_camera, camera, size)
            filled = fill_grid(scene_at_rest, semantics, true_grid.origin, into_grid, settings, unlabelled, beside)
            total.append(overlap(filled, true_grid.labels))
    return pixels, sum(grids, OverlapCounts.nothing()), sum(grids_true_scale, OverlapCounts.nothing())
