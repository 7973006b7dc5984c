"""The dataset's card: what is in it, how far it is to be trusted, and the licences of the weights that made it."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.weights.licences import licence_of
from pipeline.dataset.croissant import write_descriptions
from pipeline.stages.chain import made_by
from pipeline.stages.registry import stages
from pipeline.store.groups import PROBABILITY_RIGHT
from pipeline.store.index import DatasetSummary, index_files, with_all_columns
from pipeline.store.store import Store

CARD = ("dataset", "card.md")
BOUNDS = np.array([0.0, 0.4, 0.5, 0.65, 0.8, 0.9, 1.0])
"""Bounds of the table of probabilities; the first is what clips are refused below by default."""


def write_card(store: Store, summary: DatasetSummary, video_ids: Sequence[str]) -> None:
    """Write ``dataset/card.md`` and, for others to read, ``README.md`` and ``croissant.json``.

    video_ids: videos whose provenance tells which weights made the dataset.
    """
    used = sorted({(name, *file) for video_id in video_ids for name, file in _weights(store, video_id)})
    rows = [f"| {stage} | `{file}` | `{sha256[:12]}` | {licence_of(file, sha256)} |" for stage, file, sha256 in used]
    weights = ["| stage | file | SHA-256 | licence |", "|---|---|---|---|", *rows] if rows else ["None were used."]
    splits = ", ".join(f"{frames} frames of {name}" for name, frames in summary.frames_by_split.items())
    lines = [
        f"# Dataset {summary.version}",
        f"{summary.videos} videos, {summary.clips} clips, {summary.frames} frames: {splits}. Made {summary.created}.",
        "## Reconstructions",
        _reconstructions(probabilities_of_clips(store)),
        "## Weights",
        "\n".join(weights),
        "What weights under a non-commercial licence made is bound by it too.",
        "## Grids",
        "0 empty, 1..11 the classes of NYUv2, 12 occupied without a name (nothing labelled it), 255 unknown.",
        "## Videos",
        "Each video is under the licence of whoever published it: `licence` in the catalog and in manifests.",
    ]
    text = "\n\n".join(lines) + "\n"
    store.write_bytes(text.encode(), *CARD)
    write_descriptions(store, summary, text)


def probabilities_of_clips(store: Store) -> NDArray[np.float32]:
    """Return for every clip of the index how probable it is that its reconstruction is right, nan where unknown."""
    found: list[NDArray[np.float32]] = []
    last: tuple[str, int] | None = None
    for part in index_files(store).files:
        with store.open_parquet("dataset", part.name) as file:
            names = [name for name in ("video_id", "clip_id", PROBABILITY_RIGHT) if name in file.schema_arrow.names]
            for batch in file.iter_batches(columns=names):
                rows = with_all_columns(pa.Table.from_batches([batch]), ("video_id", "clip_id", PROBABILITY_RIGHT))
                begins, last = _beginnings(rows, last)
                values = rows[PROBABILITY_RIGHT].to_numpy()
                found.append(values[begins].astype(np.float32))
    return np.concatenate([np.zeros(0, np.float32), *found])


def _beginnings(rows: pa.Table, last: tuple[str, int] | None) -> tuple[NDArray[np.bool_], tuple[str, int] | None]:
    """Return which rows begin a clip, and the video and clip of the last row; ``last``: those of the row before."""
    if rows.num_rows == 0:
        return np.zeros(0, np.bool_), last
    clips, videos = rows["clip_id"].to_numpy(), rows["video_id"].combine_chunks().dictionary_encode()
    changed = (np.diff(clips) != 0) | (np.diff(videos.indices.to_numpy()) != 0)
    first, end = ((rows["video_id"][at].as_py(), int(clips[at])) for at in (0, rows.num_rows - 1))
    return np.r_[first != last, changed], end


def _reconstructions(probabilities: NDArray[np.float32]) -> str:
    """Say how many clips have which probability that cameras and depth are right, and how many may be wrong."""
    known = probabilities[np.isfinite(probabilities)]
    unknown = f"of {len(probabilities) - len(known)} clips it is not known how probable it is that they are right"
    if not len(known):
        return f"{unknown[0].upper()}{unknown[1:]}."
    counts, _ = np.histogram(known, BOUNDS)
    rows = [
        f"| {low:g} to {high:g} | {count} |" for low, high, count in zip(BOUNDS[:-1], BOUNDS[1:], counts, strict=True)
    ]
    wrong = float((1 - known).sum())
    said = f"Of {len(known)} clips about {wrong:.1f} may be wrong, as their probabilities say; {unknown}."
    return "\n".join([said, "", "| probability that cameras and depth are right | clips |", "|---|---|", *rows])


def _weights(store: Store, video_id: str) -> list[tuple[str, tuple[str, str]]]:
    video = store.video(video_id).as_it_is()
    made = {name: made_by(video, name) for name in stages()}
    return [(name, file) for name, found in made.items() if found is not None for file in found.weights.items()]
