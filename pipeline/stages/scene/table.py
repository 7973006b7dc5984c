"""What is found of the sizes of clips, as columns of ``clips.parquet``: a file that says how each clip came out."""

from collections.abc import Mapping

import pyarrow as pa

from pipeline.contract.records import MetricScene
from pipeline.store.groups import CLIPS, SCALE_SIGMA, WORLD_ID
from pipeline.store.rows import read_clips_note, write_clips
from pipeline.store.video import VideoStore

PLACED_BY = b"placed_by"
SIZE_COLUMNS = {
    WORLD_ID: pa.int64(),
    SCALE_SIGMA: pa.float64(),
    "scale_cues": pa.string(),
    "ceiling_height": pa.float64(),
    "camera_height": pa.float64(),
}
"""Names and types; null of clips that have no scene. Each is what the array of that name in ``scene`` holds."""


def write_sizes(video: VideoStore, sizes: Mapping[int, Mapping[str, object]], placed_by: str) -> None:
    """Write what was found of clips (``sizes_of``, by clip id) into the table of all clips, in place of what is there.

    placed_by: identity of the scene that it is part of; kept in the table's metadata (``placed_by``).
    """
    table = video.read_table(CLIPS)
    table = table.select([name for name in table.column_names if name not in SIZE_COLUMNS])
    found = [sizes.get(clip_id, {}) for clip_id in table["clip_id"].to_pylist()]
    for name, kind in SIZE_COLUMNS.items():
        table = table.append_column(name, pa.array([row.get(name) for row in found], kind, from_pandas=True))
    write_clips(video, table, PLACED_BY, placed_by)


def placed_by(video: VideoStore) -> str:
    """Return the identity of the scene that the sizes in ``clips.parquet`` are part of; empty where there are none."""
    return read_clips_note(video, PLACED_BY)


def sizes_of(scene: MetricScene) -> dict[str, object]:
    """Return what the table says of a clip."""
    return {
        WORLD_ID: scene.world_id,
        SCALE_SIGMA: scene.scale_sigma,
        "scale_cues": scene.scale_cues.names(),
        "ceiling_height": scene.ceiling_height,
        "camera_height": scene.camera_height,
    }
