"""The stage itself: outliers out, upright, panes filled, floor at zero, metres."""

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Float64s, Floats
from pipeline.contract.errors import NoUpDirection
from pipeline.contract.records import MetricScene, Reconstruction
from pipeline.geometry.poses import moved
from pipeline.stages.scene.evidence import ScaleEvidence, scale_evidence
from pipeline.stages.scene.floors import Ground, find_floors, floor_of_frames
from pipeline.stages.scene.glossy_floors import with_mirrors, without_reflections
from pipeline.stages.scene.heights import Levels, Scale, find_levels
from pipeline.stages.scene.levelling import level
from pipeline.stages.scene.metric_depth import MetricDepth, metric_depth, together
from pipeline.stages.scene.one_place import one_each
from pipeline.stages.scene.openings import PlacedOpening, find_openings
from pipeline.stages.scene.orientation import find_up, walls_to_axes
from pipeline.stages.scene.outliers import inlier_pixels
from pipeline.stages.scene.panes import with_panes
from pipeline.stages.scene.scales import find_scales
from pipeline.stages.scene.settings import SceneSettings
from pipeline.stages.scene.sheets import seen_through, without_sheets
from pipeline.stages.scene.stairs import find_riser
from pipeline.stages.scene.surfaces import SurfaceSamples, sample_surfaces


@dataclass(frozen=True)
class Upright:
    """How a clip stands, and what it shows of its size; lengths in the reconstruction's unit.

    rotation: (3, 3), from the reconstruction's frame to one with z up and walls along x and y. first_camera: (3,).
    levels, evidence: what the paper's rule reads, and what the estimate does. ground: what faces up.
    openings: doorways and windows where they lie, each once.
    """

    rotation: NDArray[np.float64]
    first_camera: NDArray[np.float64]
    up_confidence: float
    levels: Levels
    evidence: ScaleEvidence
    ground: Ground
    openings: tuple[PlacedOpening, ...] = ()


def to_metric(reconstruction: Reconstruction, settings: SceneSettings | None = None) -> MetricScene:
    """Return a clip upright and in metres by what it shows alone (section 3.2); raises as ``upright`` does."""
    settings = settings or SceneSettings()
    stands, cleaned, guessed = upright(reconstruction, settings)
    (scale,) = scales_of([stands], settings)
    return in_metres(stands, cleaned, guessed, scale)


def scales_of(worlds: Sequence[Upright], settings: SceneSettings) -> list[Scale]:
    """Return the scale of each world of a video, by what all of them show."""
    shown = [(world.levels, world.evidence) for world in worlds]
    return find_scales(shown, settings, [world.ground for world in worlds])


def upright(
    reconstruction: Reconstruction, settings: SceneSettings
) -> tuple[Upright, Reconstruction, NDArray[np.bool_]]:
    """Drop outliers, find which way is up and along walls, fill panes; the frame stays that of the reconstruction.

    Returns how the clip stands, the reconstruction that is left, and which of its pixels (n, h, w) are guessed.

    Raises:
        NoUpDirection: neither floor, ceiling nor walls show which way is up.
    """
    kept = inlier_pixels(reconstruction, settings.outliers)
    if not kept.any():
        raise NoUpDirection("the clip has no depth that belongs to a surface")
    cleaned = of_pixels(reconstruction, kept)
    surfaces, cameras = sample_surfaces(cleaned, settings), _cameras(cleaned)
    rotation, confidence = _turned(surfaces, cameras, settings)
    cleaned, guessed = with_panes(cleaned, reconstruction, surfaces, rotation, settings)
    if guessed.any():  # what lies outside tells nothing of the room's height
        surfaces = sample_surfaces(cleaned, settings)
    openings = one_each(find_openings(reconstruction, surfaces, rotation, settings))
    said = metric_depth(reconstruction), openings
    return _seen(surfaces, [cleaned], (rotation, confidence), said, settings), cleaned, guessed


def upright_together(
    pieces: Sequence[Reconstruction],
    shots: Sequence[int],
    settings: SceneSettings,
    openings: Iterable[PlacedOpening] = (),
) -> Upright:
    """Return how pieces of one world stand, in whose frame they are, cleaned; raises ``NoUpDirection``.

    shots: which shot each is of. Two are filmed from two heights without a camera that moves up or down. openings: what
    each piece showed before it was cleaned, in the world's frame: panes are walls now.
    """
    sampled, cameras = [sample_surfaces(one, settings) for one in pieces], np.concatenate(list(map(_cameras, pieces)))
    surfaces = SurfaceSamples.together(sampled)
    turned = _turned(surfaces, cameras, settings)
    said = together([metric_depth(one) for one in pieces]), one_each(openings)
    seen = _seen(surfaces, pieces, turned, said, settings)
    moved_by = _farthest_moved(pieces, shots, turned[0][2])
    return dataclasses.replace(seen, evidence=dataclasses.replace(seen.evidence, camera_range=moved_by))


def _farthest_moved(pieces: Sequence[Reconstruction], shots: Sequence[int], up: Float64s) -> float:
    """Return how far the camera moves up and down within a shot, the most of all shots."""
    heights: dict[int, list[Float64s]] = {}
    for one, shot in zip(pieces, shots, strict=True):
        heights.setdefault(shot, []).append(_cameras(one)[:, :3, 3] @ up)
    return max(float(np.ptp(np.concatenate(own))) for own in heights.values())


def _middle(cameras: Float64s, rotation: Float64s) -> float:
    """Return the height of the median camera along up."""
    return float(np.median(cameras[:, :3, 3] @ rotation[2]))


def _cameras(cleaned: Reconstruction) -> Float64s:
    return np.asarray(cleaned.camera_to_world[cleaned.registered], np.float64)


def _turned(surfaces: SurfaceSamples, cameras: Float64s, settings: SceneSettings) -> tuple[Float64s, float]:
    """Return the rotation of ``Upright`` and its confidence."""
    up = find_up(surfaces.normals, cameras, settings)
    rotation = walls_to_axes(surfaces.normals, up.direction, cameras[0, :3, 2])
    return walls_to_axes(surfaces.normals, level(surfaces, rotation, settings), cameras[0, :3, 2]), up.confidence


def _seen(
    surfaces: SurfaceSamples,
    pieces: Sequence[Reconstruction],
    turned: tuple[Float64s, float],
    said: tuple[MetricDepth | None, tuple[PlacedOpening, ...]],
    settings: SceneSettings,
) -> Upright:
    (rotation, confidence), (metric, openings) = turned, said
    cameras = np.concatenate([_cameras(one) for one in pieces])
    levels = find_levels(surfaces, rotation[2], cameras[:, :3, 3], settings)
    surfaces, mirrors = without_reflections(surfaces, rotation[2], cameras[:, :3, 3], pieces)
    surfaces = without_sheets(surfaces, rotation[2], cameras[:, :3, 3])
    heights = tuple(one.seen(rotation[2], _middle(cameras, rotation)) for one in openings)
    evidence = scale_evidence(surfaces, rotation[2], cameras, metric, heights, find_riser(surfaces, rotation))
    evidence = dataclasses.replace(evidence, upper=seen_through(surfaces, rotation[2], cameras[:, :3, 3]))
    evidence = with_mirrors(evidence, mirrors)
    ground = Ground.of(surfaces, cameras[:, :3, 3], rotation)
    return Upright(rotation, cameras[0, :3, 3], confidence, levels, evidence, ground, openings)


def in_metres(stands: Upright, cleaned: Reconstruction, guessed: NDArray[np.bool_], scale: Scale) -> MetricScene:
    """Return the scene of a clip: floor at z = 0, the z axis through the first registered camera, metres by ``scale``.

    The camera looks nearest +y of the four directions of the walls. ``stands`` is that of the clip's world, so that all
    its clips have the same floors.
    """
    floors = find_floors(stands.ground, scale)
    similarity = world_from_reconstruction(stands.rotation, scale, stands.first_camera)
    similarity[2, 3] -= floors.zero
    made = MetricScene(
        intrinsics=cleaned.intrinsics,
        camera_to_world=moved_cameras(cleaned.camera_to_world, cleaned.registered, similarity),
        depth=(cleaned.depth * scale.metres).astype(np.float32),
        confidence=cleaned.confidence,
        registered=cleaned.registered,
        ceiling_height=scale.ceiling - floors.zero,
        up_confidence=stands.up_confidence,
        scale_source=scale.source,
        world_from_reconstruction=similarity,
        guessed=guessed,
        scale_sigma=scale.sigma,
        scale_cues=scale.cues,
    )
    under = floor_of_frames(made, floors)
    above = (made.camera_to_world[:, 2, 3] - under)[made.registered]
    return dataclasses.replace(made, floor_height=under, camera_height=float(np.median(above)))


def of_pixels(reconstruction: Reconstruction, kept: NDArray[np.bool_]) -> Reconstruction:
    """Return a reconstruction with depth and confidence of the kept pixels (n, h, w) alone."""
    return dataclasses.replace(
        reconstruction,
        depth=np.where(kept, reconstruction.depth, 0).astype(np.float32),
        confidence=np.where(kept, reconstruction.confidence, 0).astype(np.float32),
    )


def world_from_reconstruction(
    rotation: NDArray[np.float64], scale: Scale, first_camera: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the similarity (4, 4) that also takes the first camera (3,) to x = y = 0 and ``scale.zero`` to z = 0."""
    similarity = np.eye(4)
    similarity[:3, :3] = scale.metres * rotation
    similarity[:2, 3] = -similarity[:2, :3] @ first_camera
    similarity[2, 3] = -scale.metres * scale.zero
    return similarity


def moved_cameras(
    camera_to_world: NDArray[np.floating], registered: NDArray[np.bool_], similarity: NDArray[np.float64]
) -> Floats:
    """Apply a similarity (4, 4) to poses (n, 4, 4): rotations stay rotations, rows of unregistered frames stay zero."""
    cameras, _ = moved(camera_to_world.astype(np.float64), similarity)
    cameras[~registered] = 0
    return cameras.astype(np.float32)
