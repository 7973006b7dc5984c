"""Zero-shot: what a dataset's own labels teach a network, by how they are read and counted, beside exact ones."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from models.array_cache import content_key
from pipeline.contract.classes import SemanticClass
from pipeline.contract.progress import Progress, named
from training.checkpoints import load_network
from training.data import Frames, MonoSceneRooms, Sample, StoredFrames
from training.data.doubt import LabelDoubt
from training.data.export import with_nyu_camera, write_room
from training.runs import finetune
from training.scores.evaluate import evaluate
from training.settings import Doubt
from training.studies.experiment_settings import Experiment, TaughtLabels
from training.studies.rooms import alone, read_rooms, room_sample, tour_behind

WEIGHTED: Mapping[TaughtLabels, tuple[Doubt, ...]] = {
    "by_scale_sigma": ("scale_sigma",),
    "by_confidence": ("confidence",),
    "by_both": ("scale_sigma", "confidence"),
}
"""What voxels count by where the pipeline's own labels are taught."""


def zero_shot(
    experiment: Experiment, frames: StoredFrames, test: Frames, folder: Path, progress: Progress
) -> Iterator[tuple[TaughtLabels, dict[str, float]]]:
    """Train on labels of each kind, of the same frames; yields how each scores on the rooms."""
    for kind in experiment.zero_shot:
        network, weigh_by = folder / f"zero_shot_{kind}", WEIGHTED.get(kind, ())
        labels = _labels(frames, "pipeline" if weigh_by else kind, folder, experiment.relabelled_every, progress)
        taught: Frames = DoubtedRooms(labels, frames) if weigh_by else labels
        settings = experiment.study.finetune.model_copy(update={"weigh_by": weigh_by})
        with alone(network):
            finetune(taught, experiment.study.preset, None, settings, network, named(progress, f"zero-shot {kind}"))
        yield kind, evaluate(load_network(network), test, kind, named(progress, f"zero-shot {kind} test")).summary()


class DoubtedRooms:
    """A dataset's frames as NYUv2's camera sees them, with how sure their labels are.

    rooms: as ``relabelled`` wrote them. frames: what they were written of.
    """

    def __init__(self, rooms: MonoSceneRooms, frames: StoredFrames) -> None:
        self._rooms, self._frames = rooms, frames
        self.names, self.origin = rooms.names, f"{rooms.origin}, of {frames.origin}"
        places = {_room_name(*place): index for index, place in enumerate(frames.rows)}
        self._places = tuple(places[name] for name in rooms.names)

    def __len__(self) -> int:
        """Return the number of rooms."""
        return len(self._rooms)

    def __getitem__(self, index: int) -> Sample:
        """Return a room."""
        return self._rooms[index]

    def content(self, index: int) -> str:
        """Return what tells a room from every other one, and what its labels' weights are of."""
        return content_key(self._rooms.content(index), self._frames.origin)

    def doubt(self, index: int) -> LabelDoubt:
        """Return how sure the labels of a room are, by the pixels of NYUv2's camera."""
        place = self._places[index]
        found = self._frames.doubt(place)
        shown = with_nyu_camera(replace(self._frames[place], regions=found.confidence.astype(np.int32)))
        return LabelDoubt(found.scale_sigma, shown.regions.astype(np.uint8))


def relabelled(
    frames: StoredFrames, read: Callable[[StoredFrames, int], Sample], folder: Path, progress: Progress
) -> MonoSceneRooms:
    """Write the dataset's frames as NYUv2's camera sees them; what is there stays."""
    for index, (video_id, row) in enumerate(frames.rows):
        name = _room_name(video_id, row)
        if not (folder / "base" / "NYUtrain" / f"{name}.pkl").exists():
            write_room(with_nyu_camera(read(frames, index)), folder, "train", name)
        progress("labels", index + 1, len(frames))
    return read_rooms(folder, "train")


def _labels(frames: StoredFrames, kind: TaughtLabels, folder: Path, every: int, progress: Progress) -> MonoSceneRooms:
    place = folder / f"labels_{kind}_{frames.version}_{every}"
    with alone(place):
        return relabelled(frames, READ[kind], place, named(progress, f"{kind} labels"))


def _room_name(video_id: str, row: int) -> str:
    return f"NYU{video_id}_{row:04d}"


def as_stored(frames: StoredFrames, index: int) -> Sample:
    """Return a frame as the pipeline made it."""
    return frames[index]


def emptied(frames: StoredFrames, index: int) -> Sample:
    """Return a frame of which all that is unknown is called empty."""
    sample = frames[index]
    unknown = sample.labels == SemanticClass.UNKNOWN
    return replace(sample, labels=np.where(unknown, np.uint8(SemanticClass.EMPTY), sample.labels))


def exactly(frames: StoredFrames, index: int) -> Sample:
    """Return a frame with exact depth, camera and grid, rendered again from the tour's seed."""
    video_id, row = frames.rows[index]
    frame = int(frames.store.video(video_id).read("frames", "frame_index")[row])
    return room_sample(tour_behind(frames.store, video_id), frame, frames.names[index])


READ: Mapping[TaughtLabels, Callable[[StoredFrames, int], Sample]] = {
    "pipeline": as_stored,
    "emptied": emptied,
    "exact": exactly,
}
"""How a frame is read with its labels."""
