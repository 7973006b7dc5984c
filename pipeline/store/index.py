"""The files of the dataset as readers find them: ``dataset/index.parquet``, one row a frame, and ``summary.json``."""

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from pipeline.contract.classes import COUNTED_CLASSES
from pipeline.store.files import Files

INDEX = ("dataset", "index.parquet")
SUMMARY = ("dataset", "summary.json")
CLASS_COLUMNS = tuple(f"voxels_{c.name.lower()}" for c in COUNTED_CLASSES)
INDEX_SCHEMA = pa.schema(
    [
        ("video_id", pa.string()),
        ("row", pa.int32()),
        ("clip_id", pa.int32()),
        ("frame_index", pa.int64()),
        ("time_s", pa.float64()),
        ("split", pa.string()),
        ("indoor_score", pa.float32()),
        ("depth_share", pa.float32()),
        ("up_confidence", pa.float32()),
        ("ceiling_height", pa.float32()),
        ("scale_source", pa.string()),
        *((name, pa.int32()) for name in CLASS_COLUMNS),
        ("fingerprint", pa.string()),
        ("made", pa.string()),
    ]
)
"""``fingerprint``: how the video was made, and the filters that chose its frames. ``made``: see ``as_indexed``."""


class LeftOutEntry(BaseModel):
    """A video, or one clip of it, that is not in the dataset: by which stage and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    video_id: str
    stage: str
    clip_id: int | None
    code: str
    detail: str


class ClassStatistics(BaseModel):
    """How often a class occurs: voxels over all grids, and frames with at least one such voxel."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    voxels: int = 0
    frames: int = 0


class DatasetSummary(BaseModel):
    """The content of ``dataset/summary.json``.

    version: changes exactly when the videos in the dataset, or what they were made with, change.
    frames_by_split, classes, left_out: see the field types.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    created: str
    videos: int
    clips: int
    frames: int
    frames_by_split: dict[str, int]
    classes: dict[str, ClassStatistics]
    left_out: tuple[LeftOutEntry, ...] = Field(default=())

    def table(self) -> str:
        """Return the summary as Markdown: totals, classes, and what was left out and why."""
        splits = ", ".join(f"{name} {frames}" for name, frames in self.frames_by_split.items())
        lines = [
            f"dataset {self.version}: {self.videos} videos, {self.clips} clips, {self.frames} frames ({splits})",
            "",
        ]
        lines += ["| class | voxels | frames |", "|---|---|---|"]
        lines += [f"| {name} | {found.voxels} | {found.frames} |" for name, found in self.classes.items()]
        if self.left_out:
            lines += ["", "| left out | by | why |", "|---|---|---|"]
        for entry in self.left_out:
            clip = "" if entry.clip_id is None else f" clip {entry.clip_id}"
            lines.append(f"| {entry.video_id}{clip} | {entry.stage} | {entry.code}: {entry.detail} |")
        return "\n".join(lines)


def write_summary(files: Files, summary: DatasetSummary) -> None:
    """Write the summary, whole or not at all."""
    files.write_bytes(summary.model_dump_json(indent=1).encode(), *SUMMARY)


def read_summary(files: Files) -> DatasetSummary | None:
    """Return the summary of the dataset as it is, or None where there is none yet."""
    return DatasetSummary.model_validate_json(files.read_bytes(*SUMMARY)) if files.exists(*SUMMARY) else None


def first_video(files: Files) -> str | None:
    """Return the first video of the index, or None where there is no dataset or nothing in it."""
    if not files.exists(*INDEX):
        return None
    with files.open_parquet(*INDEX) as index:
        batch = next(index.iter_batches(batch_size=1, columns=["video_id"]), None)
    return str(batch["video_id"][0]) if batch is not None and batch.num_rows else None


def as_indexed(made: Mapping[str, str]) -> str:
    """Return what the index notes of a video's groups: the fingerprint of each by its name, as JSON."""
    return json.dumps(dict(sorted(made.items())))


def same_as_indexed(group: str, attributes: Mapping[str, Any], indexed: str) -> bool:
    """Tell whether a group with these attributes is the one that the index notes; nothing noted, nothing to differ.

    Indexes of release 0.1 note nothing; groups that they do not name (``language``) are checked by whoever makes them.
    """
    wanted = json.loads(indexed).get(group) if indexed else None
    return wanted is None or attributes.get("fingerprint") == wanted
