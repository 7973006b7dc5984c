"""The analytic room with regions that speak: each surface is a region, embedded as the name of its class."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Floats
from pipeline.contract.classes import OCCUPIED_CLASSES
from pipeline.contract.vocabulary import default_vocabulary
from pipeline.dataset.index import build_dataset
from pipeline.language.text import SanText
from pipeline.settings import DatasetSettings
from pipeline.stages.chain import made_by
from pipeline.stages.semantics.settings import SanSettings
from pipeline.store.store import Store
from pipeline.store.video import VideoStore
from tests.pipeline.stored_room import store_room
from training.data import StoredFrames
from training.language.embeddings import SpokenFrames


@cache
def small_text() -> SanText:
    """The text side of the network that ships: a table of words, with a meaning and without a download."""
    return SanText(SanSettings(weights="san_small", short_side=96))


@cache
def class_vectors() -> Floats:
    """What the shipped network calls the classes, by their first word: (11, 64)."""
    words = default_vocabulary().classes
    return small_text().embed([words[label.name.lower()][0] for label in OCCUPIED_CLASSES])


def spoken_frames(folder: Path) -> SpokenFrames:
    """The room as a stored dataset of one video of six frames."""
    folder.mkdir(parents=True, exist_ok=True)
    _speak(store_room(folder))
    build_dataset(Store(folder), DatasetSettings())
    return SpokenFrames(StoredFrames(Store(folder), "all"))


def embed_again(video: VideoStore, embeddings: NDArray[np.float16], weights: dict[str, str]) -> None:
    """Write the embeddings of a spoken room's regions again, as other weights would."""
    arrays = {name: video.read("semantics", name) for name in ("labels", "regions", "region_offset")}
    _write(video, weights, {**arrays, "region_embeddings": embeddings})


def _speak(video: VideoStore) -> None:
    labels = video.read("semantics", "labels")
    found = [np.unique(frame) for frame in labels]
    regions = [np.searchsorted(classes, frame) + 1 for classes, frame in zip(found, labels, strict=True)]
    arrays = {
        "labels": labels,
        "regions": np.stack(regions).astype(np.uint16),
        "region_offset": np.cumsum([0, *map(len, found[:-1])]),
        "region_embeddings": class_vectors()[np.concatenate(found) - 1].astype(np.float16),
    }
    _write(video, dict(small_text().weights), arrays)


def _write(video: VideoStore, weights: dict[str, str], arrays: dict[str, NDArray[Any]]) -> None:
    noted = made_by(video, "semantics")
    assert noted is not None
    with video.write_group("semantics", noted.model_copy(update={"weights": weights}).model_dump(mode="json")) as group:
        for name, array in arrays.items():
            group.append(name, array)
