"""Teacher features of a dataset's frames, computed once and kept in the store, keyed by the teacher's weights."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from models.array_cache import ArrayCache, content_key
from models.errors import UnusableInput
from pipeline.contract.progress import Progress
from pipeline.store.rows import pictures_group, read_pictures
from pipeline.store.video import VideoStore
from training.data import Frames, StoredFrames
from training.data.content import sample_content
from training.data.sample import PICTURE_SHAPE
from training.errors import UnusableDataset, WrongCheckpoint
from training.teachers.base import Teacher

FRAMES_AT_ONCE = 8


class FeatureSource(Protocol):
    """Features (D, h, w) float16 of the frames of a dataset, by index.

    group: which teacher's, by kind and weights.
    """

    group: str

    def __getitem__(self, index: int) -> NDArray[np.float16]:
        """Return the features of a frame."""
        ...


class StoredFeatures:
    """Features kept beside the frames, one Zarr group a video."""

    def __init__(self, frames: StoredFrames, group: str) -> None:
        self.frames, self.group = frames, group

    def __getitem__(self, index: int) -> NDArray[np.float16]:
        """Return the features of a frame; raises ``CorruptStore`` where they do not read back."""
        return np.asarray(self.frames.array(index, f"{self.group}/features"), np.float16)


class CachedFeatures:
    """Features kept in a folder of their own: for benchmarks, which nothing is written into."""

    def __init__(self, frames: Frames, group: str, folder: Path) -> None:
        self.group = group
        self.keys = tuple(content_key(group, sample_content(frames, index)) for index in range(len(frames)))
        self.cache = ArrayCache(folder)

    def __getitem__(self, index: int) -> NDArray[np.float16]:
        """Return the features of a frame; raises ``UnusableDataset`` where its file is gone."""
        found = self.cache.load(self.keys[index])
        if found is None:
            message = "a file of teacher features is gone or damaged: run the same command again to make it anew"
            raise UnusableDataset(message)
        return np.asarray(found["features"], np.float16)


class JoinedFeatures:
    """One teacher's features of frames that come from several datasets, each found by its name."""

    def __init__(self, frames: Frames, sources: Sequence[tuple[Frames, FeatureSource]]) -> None:
        self.group = sources[0][1].group
        places = {name: (source, index) for part, source in sources for index, name in enumerate(part.names)}
        self._places = tuple(places[name] for name in frames.names)

    def __getitem__(self, index: int) -> NDArray[np.float16]:
        """Return the features of a frame, from where its dataset keeps them."""
        source, within = self._places[index]
        return source[within]


def features_of(frames: Frames, teacher: Teacher, folder: Path, progress: Progress) -> FeatureSource:
    """Compute what is missing of a teacher's features and return them all; ``folder``: of those of benchmarks."""
    if isinstance(frames, StoredFrames):
        return store_features(frames, teacher, progress)
    features = CachedFeatures(frames, feature_group(teacher), folder)
    for index, key in enumerate(features.keys):
        if features.cache.load(key) is None:
            features.cache.store(key, {"features": compute(teacher, frames[index].rgb[None])[0]})
        progress("teacher features", index + 1, len(frames))
    return features


def feature_group(teacher: Teacher) -> str:
    """Return the name of the Zarr group that holds a teacher's features: its kind and a digest of its weights."""
    return _group_of(teacher.name, teacher.weights)


def check_teacher(teacher: Teacher, frames: StoredFrames) -> None:
    """See that a teacher takes pictures of a dataset's size, and that what is kept under its name is by its weights.

    One black picture is looked at; no frame is read.

    Raises:
        WrongCheckpoint: it does not, or it is not.
    """
    compute(teacher, np.zeros((1, *PICTURE_SHAPE, 3), np.uint8))
    group = feature_group(teacher)
    for video_id in frames.rows.videos:
        _is_stored(frames.store.video(video_id), group)


def store_features(frames: StoredFrames, teacher: Teacher, progress: Progress) -> StoredFeatures:
    """Compute what is missing of a teacher's features, video by video, and return them all.

    Each video's group is there whole or not at all, and is made again when the video's frames were.
    """
    group = feature_group(teacher)
    videos = frames.rows.videos
    for done, video_id in enumerate(videos):
        progress("teacher features", done, len(videos))
        video = frames.store.video(video_id)
        if not _is_stored(video, group):
            with video.locked(timeout_s=600):
                if not _is_stored(video, group):  # another process may have been at it
                    _store_video(video, group, teacher)
    progress("teacher features", len(videos), len(videos))
    return StoredFeatures(frames, group)


def compute(teacher: Teacher, rgb: NDArray[np.uint8]) -> NDArray[np.float16]:
    """Return the features (n, D, h, w) of pictures (n, 480, 640, 3).

    Raises:
        WrongCheckpoint: pictures of this size do not fit the teacher, which gives no map of its width for them.
    """
    pictures = torch.from_numpy(np.ascontiguousarray(np.moveaxis(rgb, -1, 1)))
    size = f"pictures of {rgb.shape[2]}x{rgb.shape[1]}"
    try:
        features = np.asarray(teacher.features(pictures).float().cpu().numpy(), np.float16)
    except UnusableInput as error:
        raise WrongCheckpoint(f"teacher {teacher.name} does not take {size}: {error}") from error
    if features.ndim != 4 or features.shape[:2] != (len(rgb), teacher.width) or not features.size:
        message = f"teacher {teacher.name} gives {features.shape} for {size}, no map of {teacher.width} values"
        raise WrongCheckpoint(message)
    return features


def _group_of(name: str, weights: Mapping[str, str]) -> str:
    content = json.dumps([name, dict(weights)], sort_keys=True)
    return f"teacher_{name}_{hashlib.sha256(content.encode()).hexdigest()[:12]}"


def _is_stored(video: VideoStore, group: str) -> bool:
    """Tell whether a video has a teacher's features of the frames that it has now.

    Raises:
        WrongCheckpoint: what lies under their name was made by other weights.
    """
    if not video.has_group(group):
        return False
    made = video.attributes(group)
    if _group_of(str(made.get("teacher")), made.get("weights", {})) != group:
        message = f"{group} of {video.video_id} holds features by other weights than its name says: delete the group"
        raise WrongCheckpoint(message)
    return bool(made.get("made_from") == _frames_fingerprint(video))


def _frames_fingerprint(video: VideoStore) -> str:
    return str(video.attributes(pictures_group(video))["fingerprint"])


def _store_video(video: VideoStore, group: str, teacher: Teacher) -> None:
    rows = len(video.read("scene", "registered"))
    attributes: dict[str, Any] = {
        "teacher": teacher.name,
        "weights": dict(teacher.weights),
        "made_from": _frames_fingerprint(video),
    }
    with video.write_group(group, attributes) as writer:
        for start in range(0, rows, FRAMES_AT_ONCE):
            some = slice(start, min(start + FRAMES_AT_ONCE, rows))
            writer.append("features", compute(teacher, read_pictures(video, some)))
