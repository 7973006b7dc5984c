"""How much the voxels of a clip say of a query, for its page."""

from collections.abc import Sequence

import numpy as np

from pipeline.contract.errors import NoEmbeddings
from pipeline.language.query import FrameHit, frame_heat
from pipeline.language.text import SanText, checked_queries
from pipeline.pictures.viewer.clip_view import QueryHeat
from pipeline.store.rows import WITH_EMBEDDINGS, has_embeddings
from pipeline.store.video import VideoStore


def words_of(video: VideoStore, text: SanText, query: str, rows: Sequence[int]) -> QueryHeat:
    """Return the scores of a query in the grids of some rows of a video.

    Raises:
        UnusableQuery: the words cannot be compared with regions.
        NoEmbeddings: the regions of the video have none.
    """
    checked_queries([query])
    if not has_embeddings(video):
        raise NoEmbeddings(f"{video.video_id}: its regions have no embeddings: run semantics {WITH_EMBEDDINGS}")
    vector = text.embed([query])[0]
    heats = [frame_heat(video, FrameHit(video.video_id, int(row), 0.0), vector).heat.voxels for row in rows]
    return QueryHeat(query, np.stack(heats))
