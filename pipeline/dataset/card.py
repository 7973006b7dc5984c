"""The dataset's card: what is in it, and under which licences the weights are that made it."""

from collections.abc import Sequence

from models.weights.licences import licence_of
from pipeline.stages.chain import made_by
from pipeline.stages.registry import stages
from pipeline.store.index import DatasetSummary
from pipeline.store.store import Store

CARD = ("dataset", "card.md")


def write_card(store: Store, summary: DatasetSummary, video_ids: Sequence[str]) -> None:
    """Write ``dataset/card.md``.

    video_ids: videos whose provenance tells which weights made the dataset.
    """
    used = sorted({(name, *file) for video_id in video_ids for name, file in _weights(store, video_id)})
    rows = [f"| {stage} | `{file}` | `{sha256[:12]}` | {licence_of(file, sha256)} |" for stage, file, sha256 in used]
    weights = ["| stage | file | SHA-256 | licence |", "|---|---|---|---|", *rows] if rows else ["None were used."]
    splits = ", ".join(f"{frames} frames of {name}" for name, frames in summary.frames_by_split.items())
    lines = [
        f"# Dataset {summary.version}",
        f"{summary.videos} videos, {summary.clips} clips, {summary.frames} frames: {splits}. Made {summary.created}.",
        "## Weights",
        "\n".join(weights),
        "What weights under a non-commercial licence made is bound by it too.",
        "## Grids",
        "0 empty, 1..11 the classes of NYUv2, 12 occupied without a name (nothing labelled it), 255 unknown.",
        "## Videos",
        "Each video is under the licence of whoever published it: `licence` in the catalog and in manifests.",
    ]
    store.write_bytes(("\n\n".join(lines) + "\n").encode(), *CARD)


def _weights(store: Store, video_id: str) -> list[tuple[str, tuple[str, str]]]:
    made = {name: made_by(store.video(video_id), name) for name in stages()}
    return [(name, file) for name, found in made.items() if found is not None for file in found.weights.items()]
