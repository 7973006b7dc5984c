"""What stages work with in tests, and the body of a stage run on its own."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.progress import Progress, silent
from pipeline.settings import load_settings
from pipeline.sources.catalog.catalog import Catalog
from pipeline.stages.base import Stage, StageResult, Workbench
from pipeline.store.video import VideoStore


def workbench_of(video: VideoStore, progress: Progress = silent, /, **stages: Any) -> Workbench:
    """What stages of a stored video work with, under the profile ``classic`` and single values."""
    return Workbench(video, Catalog(video.files), load_settings(overrides=stages), progress, "0123456789abcdef")


def filled(stage: Stage[Any, Any], workbench: Workbench) -> StageResult:
    """Fill and publish the result of a stage, whatever is stored of it."""
    with stage.output.draft(workbench.video) as draft:
        return stage.fill(workbench, workbench.settings.of(stage), draft)


def replaced(video: VideoStore, group: str, **arrays: NDArray[Any]) -> None:
    """Store a group again with some of its arrays replaced or added; those given as empty are left out."""
    folder = Path(video.files.path("videos", video.video_id, "scene.zarr", group))
    names = {path.name for path in folder.iterdir() if path.is_dir()} | set(arrays)
    rows = {name: arrays[name] if name in arrays else video.read(group, name) for name in sorted(names)}
    attributes = video.attributes(group)
    with video.write_group(group, attributes) as writer:
        for name, values in rows.items():
            if np.size(values):
                writer.append(name, values)


def damage(video: VideoStore, group: str, array: str) -> None:
    """Cut the end off the first file of an array's values."""
    folder = Path(video.files.path("videos", video.video_id, "scene.zarr", group, array, "c"))
    chunk = next(path for path in sorted(folder.rglob("*")) if path.is_file())
    chunk.write_bytes(chunk.read_bytes()[:-20])
