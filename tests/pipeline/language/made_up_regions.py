"""Finished videos with made-up embeddings, and what an index of them holds."""

import numpy as np

from pipeline.bench.made_up import finish_made_up
from pipeline.contract.arrays import Floats
from pipeline.dataset.known import know, write_known
from pipeline.dataset.selection import EVERYTHING
from pipeline.language.index import RegionIndex
from pipeline.language.text import SanText
from pipeline.settings import FilterSettings
from pipeline.store.changes import changes_of
from pipeline.store.store import Store

WIDTH = 64


def unit(rng: np.random.Generator, rows: int, width: int = WIDTH) -> Floats:
    vectors = rng.standard_normal((rows, width)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def store_regions(store: Store, video_id: str, rows: int, text: SanText, fingerprint: str = "1") -> Floats:
    """Finish a video; without rows it has no embeddings."""
    vectors = unit(np.random.default_rng([ord(letter) for letter in video_id + fingerprint]), rows).astype(np.float16)
    arrays = {"semantics": {"region_offset": np.array([0, rows // 2]), "region_embeddings": vectors}}
    weights = {"semantics": text.weights}
    with store.video(video_id).locked():
        finish_made_up(store.video(video_id), fingerprint, arrays if rows else {}, weights=weights)
    return vectors.astype(np.float32)


def content(index: RegionIndex) -> dict[str, bytes]:
    """Return the embeddings of every video of an index."""
    found: dict[str, bytes] = {}
    for part in index.parts:
        for place, video_id in enumerate(part.videos["video_id"].to_pylist()):
            assert video_id not in found
            found[video_id] = part.embeddings[part.firsts[place] : part.firsts[place + 1]].tobytes()
    return found


def refresh(store: Store) -> None:
    """Let it be known what every video is, as a refresh of the dataset does."""
    changes = changes_of(store)
    taken = changes.take()
    known = know(store, changes, FilterSettings(), EVERYTHING, taken)
    write_known(store, changes, known, FilterSettings(), EVERYTHING)
    changes.done(taken)
