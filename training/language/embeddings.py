"""Frames of our dataset with the CLIP-space embeddings of their regions."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.contract.errors import CorruptStore, NoEmbeddings, OtherWeights
from pipeline.store.groups import SEMANTICS
from pipeline.store.outputs import GroupOutput, provenance
from pipeline.store.rows import WITH_EMBEDDINGS, has_embeddings
from pipeline.store.store import Store
from training.data import Batch, Sample, StoredFrames, collate

EMBEDDINGS = "semantics/region_embeddings"
OFFSETS = "semantics/region_offset"


class SpokenBatch(NamedTuple):
    """B samples and, for each, the embeddings (R, E) float16 of its regions: region r, from 1, has row r - 1."""

    batch: Batch
    embeddings: tuple[Tensor, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the samples."""
        return self.batch.names


class SpokenFrames:
    """Samples with the embeddings of their regions, which all come from the same weights.

    names, origin: those of the frames. weights: SHA-256 of the network that made the embeddings, by file name.
    width: E, of the embeddings.
    """

    def __init__(self, frames: StoredFrames) -> None:
        """Look at every video of a dataset.

        Raises:
            NoEmbeddings: a video has none.
            OtherWeights: two videos were embedded by different weights.
        """
        self.frames, self.names, self.origin = frames, frames.names, frames.origin
        self.weights = common_weights(frames.store, list(frames.rows.videos))
        self.width = int(frames.beside(0, EMBEDDINGS, slice(0, 1)).shape[1])

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.frames)

    def __getitem__(self, index: int) -> tuple[Sample, Tensor]:
        """Return a sample and the embeddings (R, E) float16 of its regions.

        Raises:
            CorruptStore: a region has no embedding, or an array does not read back.
        """
        sample, embeddings = self.frames[index], self._embeddings(index)
        if sample.regions.max() > len(embeddings):
            message = f"{sample.name} has {sample.regions.max()} regions but {len(embeddings)} embeddings"
            raise CorruptStore(f"{message}: run the stage 'semantics' of its video again", "semantics")
        return sample, torch.from_numpy(embeddings)

    def _embeddings(self, index: int) -> NDArray[np.float16]:
        _, row = self.frames.rows[index]
        first, *following = self.frames.beside(index, OFFSETS, slice(row, row + 2)).tolist()
        rows = slice(first, following[0] if following else None)
        return np.asarray(self.frames.beside(index, EMBEDDINGS, rows), np.float16)


def common_weights(store: Store, video_ids: Sequence[str]) -> Mapping[str, str]:
    """Return the weights, SHA-256 by file name, that embedded the regions of all these videos.

    Raises:
        NoEmbeddings: a video has none.
        OtherWeights: two videos were embedded by different weights.
    """
    found: dict[str, Mapping[str, str]] = {}
    for video_id in video_ids:
        video = store.video(video_id)
        noted = provenance(video, GroupOutput(SEMANTICS)) if has_embeddings(video) else None
        if noted is None:
            raise NoEmbeddings(f"{video_id} has no region embeddings: run its stage 'semantics' {WITH_EMBEDDINGS}")
        found[video_id] = noted.weights
    first, *others = found
    for video_id in others:
        if set(found[video_id].values()) != set(found[first].values()):
            raise OtherWeights(
                f"the regions of {first} were embedded by {', '.join(found[first])}, those of {video_id} by other "
                f"weights ({', '.join(found[video_id])}): run the stage 'semantics' of one of them again"
            )
    return found[first]


def collate_spoken(items: Sequence[tuple[Sample, Tensor]]) -> SpokenBatch:
    """Stack samples; their embeddings stay apart, since every picture has another number of regions."""
    return SpokenBatch(collate([sample for sample, _ in items]), tuple(embeddings for _, embeddings in items))
