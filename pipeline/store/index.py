"""The files of the dataset as readers find them: its index, one row a frame, and ``summary.json``.

The index of most datasets is one file, ``dataset/index.parquet``. One that has outgrown a file lies in several of them,
``dataset/index/*.parquet``, each with a range of the videos, so that a video that changed costs a file and not all.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeVar

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from pipeline.contract.classes import COUNTED_CLASSES, SemanticClass
from pipeline.contract.errors import CorruptStore
from pipeline.store.files import Files

INDEX = ("dataset", "index.parquet")
FOLDER = ("dataset", "index")
FILES = (*FOLDER, "_files.json")
"""Names the files of an index that has several; plain readers of the folder pass over the name."""

SUMMARY = ("dataset", "summary.json")
LEFT_OUT = ("dataset", "left_out.parquet")
SHOWN = 1000
"""Entries of what was left out that the summary holds; ``left_out.parquet`` holds all."""

READ_TRIES = 20
"""Times that a reader begins anew because a writer replaced files under it."""

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
        ("camera_height", pa.float32()),
        ("scale_sigma", pa.float32()),
        ("scale_cues", pa.string()),
        ("world_id", pa.int32()),
        ("probability_right", pa.float32()),
        *((name, pa.int32()) for name in CLASS_COLUMNS),
        ("fingerprint", pa.string()),
        ("made", pa.string()),
    ]
)
"""``fingerprint``: how the video was made, and the filters that chose its frames. ``made``: see ``as_indexed``.
``probability_right``, ``camera_height``, ``scale_sigma``, ``scale_cues``, ``world_id``: null where it is not known."""

UNNAMED_COLUMN = CLASS_COLUMNS[COUNTED_CLASSES.index(SemanticClass.UNNAMED)]
LATER = ("made", "probability_right", "camera_height", "scale_sigma", "scale_cues", "world_id", UNNAMED_COLUMN)
"""Columns that indexes of earlier releases lack: see ``with_all_columns``."""

T = TypeVar("T")


class IndexFile(BaseModel):
    """One file of an index: its name, and its first video; it holds the videos up to the next file's first.

    sha256: of its content, noted when it was written so that nobody has to read it again; empty where not known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^(index/)?[A-Za-z0-9_-]+\.parquet$")
    first: str = ""
    sha256: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")


class IndexFiles(BaseModel):
    """The files of an index in the order of their videos; ``written`` names the writing of them, empty if unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    files: tuple[IndexFile, ...] = ()
    written: str = ""


class _SomeFiles(IndexFiles):
    """Those of an index as it is stored: an empty one has a file too."""

    files: tuple[IndexFile, ...] = Field(min_length=1)


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


class LeftOutCount(BaseModel):
    """How often a stage left something out for one reason."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: str
    code: str
    count: int


class DatasetSummary(BaseModel):
    """The content of ``dataset/summary.json``.

    version: changes exactly when the videos in the dataset, or what they were made with, or their split, change.
    frames_by_split, classes: see the field types. left_out: the first of them; ``left_out_counts`` counts all. notes:
    what happened to the dataset beyond what was asked for, as that videos changed sides of the split.
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
    left_out_counts: tuple[LeftOutCount, ...] = ()
    notes: tuple[str, ...] = ()

    def counts(self) -> tuple[LeftOutCount, ...]:
        """Return how often what was left out why, of summaries of release 0.2 too, which list all and count nothing."""
        if self.left_out_counts:
            return self.left_out_counts
        counted = Counter((entry.stage, entry.code) for entry in self.left_out)
        return tuple(LeftOutCount(stage=stage, code=code, count=n) for (stage, code), n in sorted(counted.items()))

    def table(self, most: int = 100) -> str:
        """Return the summary as Markdown: totals, classes, and what was left out and why, ``most`` lines of that."""
        splits = ", ".join(f"{name} {frames}" for name, frames in self.frames_by_split.items())
        lines = [
            f"dataset {self.version}: {self.videos} videos, {self.clips} clips, {self.frames} frames ({splits})",
            *self.notes,
            "",
        ]
        lines += ["| class | voxels | frames |", "|---|---|---|"]
        lines += [f"| {name} | {found.voxels} | {found.frames} |" for name, found in self.classes.items()]
        if self.left_out:
            lines += ["", "| left out | by | why |", "|---|---|---|"]
        for entry in self.left_out[:most]:
            clip = "" if entry.clip_id is None else f" clip {entry.clip_id}"
            lines.append(f"| {entry.video_id}{clip} | {entry.stage} | {entry.code}: {entry.detail} |")
        counts = self.counts()
        if sum(found.count for found in counts) > most:
            named = ", ".join(f"{found.count} {found.code} ({found.stage})" for found in counts)
            lines += ["", f"all that was left out: {named}; each by name: dataset/{LEFT_OUT[1]}"]
        return "\n".join(lines)


def is_index(schema: pa.Schema) -> bool:
    """Tell whether a file with this schema is one of an index, of this release or of an earlier one."""
    kept = [field for field in INDEX_SCHEMA if field.name not in LATER or field.name in schema.names]
    return bool(schema.equals(pa.schema(kept)))


def with_all_columns(rows: pa.Table, names: Sequence[str] = tuple(INDEX_SCHEMA.names)) -> pa.Table:
    """Return rows of an index with the columns ``names``, also those that an earlier release did not write.

    What it did not note is null; no voxel was without a name then. Columns that are there stay as they are.
    """
    columns = [rows[name] if name in rows.column_names else _not_noted(name, rows.num_rows) for name in names]
    return pa.table(columns, names=list(names))


def _not_noted(name: str, count: int) -> pa.Array:
    return pa.repeat(pa.scalar(0 if name == UNNAMED_COLUMN else None, INDEX_SCHEMA.field(name).type), count)


def write_summary(files: Files, summary: DatasetSummary) -> None:
    """Write the summary, whole or not at all."""
    files.write_bytes(summary.model_dump_json(indent=1).encode(), *SUMMARY)


def read_summary(files: Files) -> DatasetSummary | None:
    """Return the summary of the dataset as it is, or None where there is none yet."""
    try:
        return DatasetSummary.model_validate_json(files.read_bytes(*SUMMARY))
    except FileNotFoundError:
        return None
    except ValueError as error:
        message = f"{files.path(*SUMMARY)} does not read back: delete it, and build the dataset again"
        raise CorruptStore(message) from error


def index_files(files: Files) -> IndexFiles:
    """Return which files the index has; none where there is no index. Raises ``CorruptStore``."""
    try:
        return _SomeFiles.model_validate_json(files.read_bytes(*FILES))
    except FileNotFoundError:
        return IndexFiles(files=(IndexFile(name=INDEX[1]),)) if files.exists(*INDEX) else IndexFiles()
    except ValueError as error:
        message = f"{files.path(*FILES)} does not read back: delete {files.path('dataset')} and build it again"
        raise CorruptStore(message) from error


def read_index(
    files: Files, columns: Sequence[str], kept: Callable[[pa.Table], pa.Table] = lambda table: table
) -> pa.Table:
    """Return columns of the index, in the order of its videos; null what an earlier release did not note.

    kept: what is kept of each of its files, of which one is in memory whole at a time.

    Raises:
        FileNotFoundError: there is no index.
        CorruptStore: it does not read back.
    """

    def read(listed: IndexFiles) -> pa.Table:
        parts = [kept(_columns(files, part, columns)) for part in listed.files]
        try:
            return pa.concat_tables(parts)
        except pa.ArrowException as error:
            message = f"files of {files.path(*FOLDER)} do not fit together: delete {files.path('dataset')}"
            raise CorruptStore(f"{message}, and build it again") from error

    return _retried(files, read)


def first_video(files: Files) -> str | None:
    """Return the first video of the index, or None where there is no dataset or nothing in it."""

    def first(listed: IndexFiles) -> str | None:
        with files.open_parquet("dataset", listed.files[0].name) as index:
            batch = next(index.iter_batches(batch_size=1, columns=["video_id"]), None)
            return str(batch["video_id"][0]) if batch is not None and batch.num_rows else None

    try:
        return _retried(files, first)
    except FileNotFoundError:
        return None


def _retried(files: Files, read: Callable[[IndexFiles], T]) -> T:
    for _ in range(READ_TRIES):
        listed = index_files(files)
        if not listed.files:
            raise FileNotFoundError(f"{files.path(*INDEX)} is not there: build the dataset")
        try:
            return read(listed)
        except FileNotFoundError:
            continue
    raise CorruptStore(
        f"{files.path(*FOLDER)} lacks files that it lists: delete {files.path('dataset')}, and build it again"
    )


def _columns(files: Files, part: IndexFile, columns: Sequence[str]) -> pa.Table:
    with files.open_parquet("dataset", part.name) as index:
        held = [name for name in columns if name in index.schema_arrow.names]
        table = index.read(held).select(held)
        table.validate(full=True)
    return with_all_columns(table, columns)
