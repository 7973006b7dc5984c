"""Labels every voxel of a dataset by a list of prompts: any vocabulary, and no network over pictures."""

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.json_text import parsed_json
from pipeline.contract.arrays import Floats
from pipeline.contract.errors import SettingsError
from pipeline.contract.progress import Progress, counted, silent
from pipeline.language.index import open_index
from pipeline.language.text import SanText, cosine
from pipeline.language.voxels import ensure_language, language_grid
from pipeline.store.atomic import disk_errors
from pipeline.store.contents import GROUP_METADATA
from pipeline.store.drafts import remove_tree
from pipeline.store.group_writer import GroupWriter
from pipeline.store.groups import FRAMES, SEMANTICS
from pipeline.store.publish import switch
from pipeline.store.store import Store
from pipeline.store.video import VideoStore

NO_PROMPT = 0
"""Label of voxels into which no region falls; prompt k of the list, from 1, has label k."""

_OWN_NAME = re.compile(r"zarr\.json|labels/zarr\.json|labels/c(/\d+)+")
"""Files of a group of labels, and all that is deleted when it is made again."""


@dataclass(frozen=True)
class PromptCounts:
    """Voxels of all grids that took each prompt: (P,) int64."""

    prompts: tuple[str, ...]
    voxels: NDArray[np.int64]


def label_dataset(
    store: Store,
    text: SanText,
    prompts: Sequence[str],
    out: Path,
    video_id: str | None = None,
    progress: Progress = silent,
) -> PromptCounts:
    """Write ``<out>/<video_id>.zarr`` with ``labels`` (N, 60, 60, 36) uint16 for every video, or the one named.

    A voxel takes the prompt whose cosine with its mean embedding is highest; the prompts are the group's attributes.

    Raises:
        UnusableQuery: a prompt cannot be used or comes twice.
        NoEmbeddings, OtherWeights: as in ``open_index``.
        SettingsError: something else than labels stands where some are to be written.
    """
    vectors = text.embed(prompts)
    counts = np.zeros(len(prompts) + 1, np.int64)
    videos = open_index(store, text).video_ids(video_id)
    for chosen in videos:
        _check_own(out / f"{chosen}.zarr")
    for chosen in counted(videos, progress, "labels"):
        with disk_errors(), _draft(out, chosen) as draft:
            writer = GroupWriter(draft, {"prompts": list(prompts), "weights": dict(text.weights)})
            for labels in zero_shot_labels(store.video(chosen), vectors):
                writer.append("labels", labels[None])
                counts += np.bincount(labels.ravel(), minlength=len(counts))
            writer.close()
            folder = out / f"{chosen}.zarr"
            _check_own(folder)
            switch(draft, folder)
    return PromptCounts(tuple(prompts), counts[1:])


@contextlib.contextmanager
def _draft(out: Path, video_id: str) -> Iterator[Path]:
    """Give a new folder, which is taken away in the end with what it holds; of a killed run a hidden one stays."""
    out.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{video_id}.", suffix=".part", dir=out))
    try:
        draft = made / "labels.zarr"
        draft.mkdir()
        yield draft
    finally:
        remove_tree(made)


def _check_own(folder: Path) -> None:
    """Make sure that a folder is not there, or holds labels of an earlier run and nothing else."""
    if not os.path.lexists(folder):
        return
    files = [path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()]
    try:
        attributes = parsed_json((folder / GROUP_METADATA).read_bytes())["attributes"]
        own = {"prompts", "weights"} <= attributes.keys() and not folder.is_symlink()
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        own = False
    strange = [path for path in files if not _OWN_NAME.fullmatch(path.relative_to(folder).as_posix())]
    if strange or not own:
        raise SettingsError(f"{folder} holds more than labels of an earlier run: name another folder with --out")


def zero_shot_labels(video: VideoStore, vectors: Floats) -> Iterator[NDArray[np.uint16]]:
    """Yield the labels (60, 60, 36) uint16 of every frame of a video, in the order of its rows; vectors: (P, E)."""
    ensure_language(video)
    for row in range(len(video.read(FRAMES, "clip_id"))):
        grid = language_grid(video, row)
        scores = cosine(video.read(SEMANTICS, "region_embeddings", grid.regions), vectors)
        by_mixture = np.append((grid.shares @ scores).argmax(axis=1) + 1, NO_PROMPT).astype(np.uint16)
        yield by_mixture[grid.voxel]
