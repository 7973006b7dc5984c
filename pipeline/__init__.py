"""From house-tour videos to a dataset for 3D semantic occupancy; nothing here knows of Dagster.

What most people need from Python is here; everything is loaded when it is used.

>>> dataset = Dataset("data")           # frames with picture, camera, depth, labels and grid, read when looked at
>>> clips = find_clips("kitchen.mp4")   # shots and frames of one video
>>> frames = process("tour://7", "data/look", profile="classic")    # all stages of one video, here and now
>>> grids = voxelize(depth, intrinsics, camera_to_world, labels)    # grids from arrays of your own
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.lazy import lazy

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pipeline.contract.progress import Progress
    from pipeline.contract.records import Clip, Occupancy
    from pipeline.dataset.frames import Dataset
    from pipeline.store.frames import Camera, Frame, Grid

__all__ = ["Camera", "Dataset", "Frame", "Grid", "find_clips", "process", "voxelize"]


def find_clips(path: str | Path, **settings: Any) -> "list[Clip]":
    """Return the clips of a video file: where its shots are, and which frames of them are looked at.

    settings: of the stage ``clips``, as ``frames_per_second=4``.

    Raises:
        BrokenVideo: a frame does not decode.
        SettingsError: a setting is unknown or out of bounds.
    """
    from pipeline.contract.values import checked
    from pipeline.stages.clips.find import find_clips as found
    from pipeline.stages.clips.settings import ClipsSettings

    return found(Path(path), checked(ClipsSettings, settings))[0]


def process(
    source: str,
    data: str | Path = "data",
    profile: str | None = None,
    settings: dict[str, Any] | None = None,
    progress: "Progress | None" = None,
) -> "Dataset":
    """Run all stages on one video, here and now, and return its frames; what is done with these settings is kept.

    Args:
        source: ``tour://SEED``, a video file, or an http(s) URL.
        data: folder or URL of the dataset.
        profile: set of backends; by default that of the dataset at hand, else ``classic``.
        settings: single ones on top, by stage, as ``{"clips": {"clip_min_s": 2}}``.
        progress: called with how far it is.

    Raises:
        SettingsError: the source or a setting cannot be understood.
        MixedDataset: the other videos there were made with other settings, and ``dataset.mixed`` is not set.
        VideoError: the video cannot be built; the message says why and what to do.
    """
    from pipeline.contract.progress import silent
    from pipeline.dataset.frames import Dataset
    from pipeline.dataset.index import build_dataset
    from pipeline.dataset.mixture import entered
    from pipeline.dataset.selection import Selection
    from pipeline.settings import Layer, environment, resolve
    from pipeline.sources.video_source import parse_source
    from pipeline.stages.base import Workbench
    from pipeline.stages.run import process_video
    from pipeline.store.store import Store

    store, video = Store(data), parse_source(source)
    said = Layer("the call of process", profile, values=settings or {})
    chosen = resolve(said, environment(), dataset=store).settings
    catalog = entered(store, video, chosen)
    workbench = Workbench(store.video(video.video_id), catalog, chosen, progress or silent)
    list(process_video(workbench, keep_source=chosen.dataset.keep_videos))
    build_dataset(store, chosen.dataset, Selection(settings=chosen))
    return Dataset(data, video_id=video.video_id)


def voxelize(
    depth: "NDArray[np.floating]",
    intrinsics: "NDArray[np.floating]",
    camera_to_world: "NDArray[np.floating]",
    labels: "NDArray[np.uint8]",
    **rules: Any,
) -> "Occupancy":
    """Return one grid a frame from the points and rays of all frames of a clip.

    Args:
        depth: (n, h, w) metres, 0 = no value.
        intrinsics: (n, 3, 3), pixels of the depth maps.
        camera_to_world: (n, 4, 4), z up, floor at z = 0; camera axes x right, y down, z forward.
        labels: (n, h, w) uint8, classes of ``pipeline.contract.classes``, 255 = unknown.
        rules: settings of the stage ``occupancy``, as ``reach_m=8``.

    Raises:
        SettingsError: a rule is unknown or out of bounds.
        ValueError: the shapes do not fit together.
    """
    from pipeline.contract.values import checked
    from pipeline.geometry.filling import VoxelSettings
    from pipeline.geometry.voxels import clip_of_arrays
    from pipeline.geometry.voxels import voxelize as filled

    chosen = checked(VoxelSettings, rules)
    return filled(*clip_of_arrays(depth, intrinsics, camera_to_world, labels), chosen)


__getattr__ = lazy(
    __name__,
    {
        "Camera": "pipeline.store.frames",
        "Dataset": "pipeline.dataset.frames",
        "Frame": "pipeline.store.frames",
        "Grid": "pipeline.store.frames",
    },
)
