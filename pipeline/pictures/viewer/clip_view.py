"""What the page of a clip shows, read from the store: pictures, labels, cameras, grids and a cloud of points."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Floats, Images
from pipeline.contract.errors import ChangedSinceIndexed, SettingsError
from pipeline.contract.grid import VOXEL_SIZE
from pipeline.contract.records import MetricScene
from pipeline.geometry.poses import resize_nearest
from pipeline.pictures.viewer.cloud import Cloud, cloud_of
from pipeline.store.groups import FRAMES, OCCUPANCY, SCENE, SEMANTICS, SOURCE_NOTES
from pipeline.store.rows import clip_rows, read_labels, read_pictures, read_scene
from pipeline.store.video import VideoStore

MOST_FRAMES = 24
"""Frames on a page; of a longer clip some are shown, spread evenly."""

LABELS_WIDTH = 320
"""Pixels; of labels on the page."""


@dataclass(frozen=True)
class QueryHeat:
    """How much every voxel says of a query.

    text: the query. voxels: (n, 60, 60, 36) float32, mean cosine of each voxel's points, nan where no region falls.
    """

    text: str
    voxels: Floats


@dataclass(frozen=True)
class ClipView:
    """What is shown of the registered frames, n of them, of one clip.

    title, video_id, clip_id: whose. rows: (n,) rows of the video's arrays. time_s: (n,) seconds of the video.
    pictures: (n, 480, 640, 3) uint8 RGB. labels: (n, h, w) uint8. intrinsics: (n, 3, 3), pixels of the pictures.
    camera_to_world: (n, 4, 4), metres, z up, floor at z = 0. grids: (n, 60, 60, 36) uint8. world_from_voxel:
    (n, 4, 4) float64, from indices of voxels to metres. cloud: points of the clip. truth: (n, 60, 60, 36) uint8, exact
    labels of the same voxels, at the estimated size; None where the truth is not known. truth_scale: the true size over
    the estimated one. words: of a query. facts: lines on how it was made.
    """

    title: str
    video_id: str
    clip_id: int
    rows: NDArray[np.int64]
    time_s: NDArray[np.float64]
    pictures: Images
    labels: NDArray[np.uint8]
    intrinsics: Floats
    camera_to_world: Floats
    grids: NDArray[np.uint8]
    world_from_voxel: NDArray[np.float64]
    cloud: Cloud
    truth: NDArray[np.uint8] | None = None
    truth_scale: float = 1.0
    words: QueryHeat | None = None
    facts: Sequence[str] = field(default=())


def shown_rows(video: VideoStore, clip_id: int) -> NDArray[np.int64]:
    """Return the rows of the frames of a clip that its page shows: those that have a camera, some of them if many.

    Raises:
        StageMissing: the video is half built, or gone.
        SettingsError: no such clip is stored, or none of its frames has a camera.
    """
    clips = dict(clip_rows(video))
    if clip_id not in clips:
        named = ", ".join(map(str, clips)) or "none"
        raise SettingsError(f"{video.video_id} has no clip {clip_id}: stored are {named}")
    rows = clips[clip_id]
    found = rows.start + np.flatnonzero(video.read(SCENE, "registered", rows))
    if not len(found):
        raise SettingsError(f"clip {clip_id} of {video.video_id} has no frame with a camera: name another with --clip")
    spread = np.linspace(0, len(found) - 1, min(len(found), MOST_FRAMES))
    return np.asarray(found[np.rint(spread).astype(np.int64)], np.int64)


def read_clip_view(video: VideoStore, clip_id: int) -> ClipView:
    """Return what is stored of a clip.

    Raises:
        StageMissing: the video is half built, or gone: the text names the group and the stage to run.
        ChangedSinceIndexed: a stage was run again meanwhile.
        CorruptStore: an array does not read back.
        SettingsError: no such clip is stored, or none of its frames has a camera.
    """
    before = video.attributes(OCCUPANCY)
    rows = shown_rows(video, clip_id)
    whole = dict(clip_rows(video))[clip_id]
    scene, semantics, pictures = read_scene(video, whole), read_labels(video, whole), read_pictures(video, whole)
    within = rows - whole.start
    small = resize_nearest(semantics.labels, _labels_shape(semantics.labels.shape[1:]))
    view = ClipView(
        title=str(video.read_json(SOURCE_NOTES).get("title") or video.video_id),
        video_id=video.video_id,
        clip_id=clip_id,
        rows=rows,
        time_s=video.read(FRAMES, "time_s", whole)[within],
        pictures=pictures[within],
        labels=small[within],
        intrinsics=scene.intrinsics[within],
        camera_to_world=scene.camera_to_world[within],
        grids=video.read(OCCUPANCY, "labels", whole)[within],
        world_from_voxel=_world_from_voxel(video, whole)[within],
        cloud=cloud_of(scene, semantics, pictures),
        facts=_facts(video, scene),
    )
    if video.attributes(OCCUPANCY) != before:
        raise ChangedSinceIndexed(f"{video.video_id} is being built anew: look at it after that")
    return view


def _labels_shape(stored: Sequence[int]) -> tuple[int, int]:
    height, width = stored
    shrunk = min(1.0, LABELS_WIDTH / width)
    return max(1, round(height * shrunk)), max(1, round(width * shrunk))


def _world_from_voxel(video: VideoStore, rows: slice) -> NDArray[np.float64]:
    origin, grid_from_world = (video.read(OCCUPANCY, name, rows) for name in ("origin", "grid_from_world"))
    grid_from_voxel = np.repeat(np.diag([VOXEL_SIZE, VOXEL_SIZE, VOXEL_SIZE, 1.0])[None], len(origin), axis=0)
    grid_from_voxel[:, :3, 3] = origin
    return np.asarray(np.linalg.inv(grid_from_world.astype(np.float64)) @ grid_from_voxel, np.float64)


def _facts(video: VideoStore, scene: MetricScene) -> list[str]:
    source = video.read_json(SOURCE_NOTES)
    made = [f"{group}: {video.attributes(group).get('backend', '?')}" for group in (SCENE, SEMANTICS, OCCUPANCY)]
    about = [f"{name}: {source[name]}" for name in ("uploader", "licence") if source.get(name)]
    size = f"size of the world: from the {scene.scale_source.name.lower().replace('_', ' ')}"
    return [*about, size, *made]
