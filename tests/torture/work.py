"""What the campaign's processes do: what commands, the daemon's runs and trainers do, on the films of the campaign."""

import contextlib
import os
import random
import sys
import tempfile
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.contract.errors import PipelineError, VideoError
from pipeline.dataset.frames import Dataset
from pipeline.dataset.index import build_dataset
from pipeline.dataset.mixture import entered
from pipeline.dataset.selection import Selection
from pipeline.settings import Settings, load_settings
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.discover import discover
from pipeline.sources.entries import SourceEntry, SourceKind, SourceList
from pipeline.sources.video_source import parse_source
from pipeline.stages.base import Workbench
from pipeline.stages.reconstruction.rows import unit_depth
from pipeline.stages.run import process_video
from pipeline.stages.scene.stage import scene as scene_stage
from pipeline.stages.video.stage import video as video_stage
from pipeline.store.store import Store
from tests.torture.identity import Identity, identify, picture
from tests.torture.traced import FX, STEP, Traced
from training.data.stored import StoredFrames
from training.errors import UnusableDataset


@dataclass(frozen=True)
class Choice:
    """The settings of a round: frames a second, editions of two backends, distance of the rays."""

    frames_per_second: float = 5.0
    reconstruction: int = 0
    semantics: int = 0
    ray_spacing: float = 0.012

    def settings(self) -> Settings:
        """Return them as the pipeline's settings."""
        return load_settings("classic", None, self.values())

    def values(self) -> dict[str, Any]:
        """Return them as values of a settings file."""

        def traced(edition: int) -> dict[str, Any]:
            return {"backend": "traced", "traced": {"edition": edition}}

        return {
            "video": {"free_bytes_min": 0, "duplicates": {"enabled": False}},
            "clips": {"keep_all_up_to": 0, "frames_per_second": self.frames_per_second},
            "indoor_clips": traced(0),
            "reconstruction": traced(self.reconstruction),
            "semantics": traced(self.semantics),
            "occupancy": {"ray_spacing": self.ray_spacing},
            "dataset": {"mixed": True},
        }


@dataclass(frozen=True)
class Place:
    """Where the campaign's dataset and its films lie."""

    data: Path
    films: Path

    @property
    def listed(self) -> SourceList:
        """Return the sources: the folder of films."""
        entry = SourceEntry(kind=SourceKind.SOURCE, source=str(self.films))
        return SourceList(entries=(entry,), folder=self.films.parent)

    def paths(self) -> list[Path]:
        """Return the films."""
        return sorted(self.films.glob("*.mp4"))


def say(line: object) -> None:
    """Write a line to the log of processes."""
    sys.stdout.write(f"{os.getpid()} {line}\n")


def build(place: Place, choice: Choice, draw: random.Random) -> None:
    """Run all stages on all films in some order, as ``build_dataset``'s children do, and gather the dataset."""
    settings, films = choice.settings(), place.paths()
    draw.shuffle(films)
    for path in films:
        try:
            store, source = Store(place.data), parse_source(str(path))
            entered(store, source, settings)
            for _ in process_video(Workbench(store.video(source.video_id), Catalog(store), settings)):
                pass
        except VideoError as error:
            say(f"{path.name}: {error.code}: {error}")
    gather(place, choice, draw)


def gather(place: Place, choice: Choice, draw: random.Random) -> None:
    """Bring the dataset up to date."""
    del draw
    settings = choice.settings()
    summary = build_dataset(Store(place.data), settings.dataset, Selection(place.listed, settings))
    say(f"dataset {summary.version}: {summary.videos} videos, {[str(entry) for entry in summary.left_out]}")


def poll(place: Place, choice: Choice, draw: random.Random) -> None:
    """Look at the sources again and again, as the schedule does."""
    del draw
    catalog, settings = Catalog(Store(place.data)), choice.settings()
    for _ in range(4):
        say([report.error for report in discover(catalog, place.listed, settings.of(video_stage).web)])


def read(place: Place, choice: Choice, draw: random.Random) -> None:
    """Read frames of the dataset while others write; raises ``AssertionError`` where they do not belong together."""
    del choice
    for _ in range(12):
        try:
            dataset = Dataset(place.data)
            for _ in range(8):
                frame = dataset[draw.randrange(len(dataset))]
                camera, shown = frame.camera, identify(frame.picture)
                found = round((float(camera.intrinsics[0, 0]) - FX) / STEP)
                assert found == shown.code, f"{frame}: a picture of {shown} with the camera of code {found}"
                assert frame.grid.labels.any(), f"{frame}: an empty grid"
                assert frame.depth.any(), f"{frame}: no depth"
        except (PipelineError, FileNotFoundError, ValueError) as error:
            say(f"read: {type(error).__name__}: {error}")


def train(place: Place, choice: Choice, draw: random.Random) -> None:
    """Take samples as a training does."""
    del choice
    for _ in range(6):
        try:
            frames = StoredFrames(Store(place.data), "all")
            for _ in range(8):
                sample = frames[draw.randrange(len(frames))]
                found = round((float(sample.intrinsics[0, 0]) - FX) / STEP)
                assert found == identify(sample.rgb).code, f"{sample.name}: a picture with the camera of code {found}"
                assert sample.depth.any(), f"{sample.name}: no depth"
        except (PipelineError, UnusableDataset, FileNotFoundError) as error:
            say(f"train: {type(error).__name__}: {error}")


TASKS: dict[str, Callable[[Place, Choice, random.Random], None]] = {
    "build": build,
    "gather": gather,
    "poll": poll,
    "read": read,
    "train": train,
}
WRONG, ENDED_WITH_ERROR = 9, 1


def exit_code(task: str, place: Place, choice: Choice, draw: random.Random) -> int:
    """Do a task; return 0, 1 for an error of any kind, or 9 if what was read does not belong together."""
    try:
        TASKS[task](place, choice, draw)
    except AssertionError:
        traceback.print_exc()
        return WRONG
    except Exception:  # noqa: BLE001 - the log says what; the checker decides
        traceback.print_exc()
        return ENDED_WITH_ERROR
    return 0


def warm_up() -> None:
    """Load what the processes need before they are forked, so that a round is work and no loading; starts no thread."""
    for name in ("av", "cv2", "scenedetect", "zarr", "open3d", "pipeline.media", "pipeline.stages.scene.metric"):
        with contextlib.suppress(ImportError):
            import_module(name)
    from pipeline.geometry.voxels import voxelize
    from pipeline.stages.scene.metric import to_metric

    names = Traced(0)
    pictures = np.stack([picture(Identity(0, 0, number), 640, 480) for number in range(4)])
    with tempfile.TemporaryDirectory() as scratch:
        scene = to_metric(unit_depth(names.reconstruct(pictures, Path(scratch))), Choice().settings().of(scene_stage))
    voxelize(scene, names.segment(pictures, scene))
