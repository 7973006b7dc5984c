"""Writes an export piece by piece: each whole or not at all, so that one that was cut off goes on where it was."""

import errno
import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
from filelock import FileLock, Timeout

from models.atomic import draft
from pipeline.contract.errors import DiskFull, StageMissing
from pipeline.contract.progress import Progress, silent
from pipeline.store.atomic import NO_SPACE, disk_errors
from pipeline.store.drafts import remove_tree
from pipeline.store.frames import FrameReader
from pipeline.store.index import read_summary
from pipeline.store.store import Store
from pipeline.tours.frozen import frozen_among, refuse_frozen
from training.errors import UnusableDataset
from training.exports.chosen import ExportPiece, chosen_rows
from training.exports.layouts import ExportFormat, layout_named

EXPORT_MARK = ".youtube-occ-export.json"
PARTS = ".youtube-occ-parts"
"""Folder of what is being written; removed at the start and at the end."""

LOCK = ".youtube-occ-export.lock"


def export_dataset(
    store: Store,
    out: Path,
    name: str,
    split: str = "all",
    conditions: Sequence[str] = (),
    progress: Progress = silent,
) -> int:
    """Write a dataset in the format ``name`` into ``out``; return the number of frames in it.

    The same call again goes on where an earlier one was cut off. Memory is bounded by a clip.

    Raises:
        StageMissing: there is no dataset, or no such frame.
        UnusableDataset: the folder holds something else, or another process writes it.
        SettingsError: a condition that cannot be understood.
        FrozenSeeds: there are frozen tours among the videos.
        DiskFull: no space; what was finished stays.
    """
    summary = read_summary(store)
    if summary is None:
        raise StageMissing(f"{store.path('dataset')} holds no dataset: build one first")
    rows, layout = chosen_rows(store, split, conditions), layout_named(name)
    refuse_frozen(frozen_among(store, rows["video_id"].unique().to_pylist()))
    asked: dict[str, object] = {"format": name, "dataset": summary.version, "split": split, "filter": list(conditions)}
    try:
        with disk_errors():
            _claim(out, asked)
            with FileLock(out / LOCK, timeout=0):
                _write(layout, rows, FrameReader(store), out, progress)
    except Timeout as error:
        raise UnusableDataset(f"another process exports into {out}: wait for it, or name another folder") from error
    except DiskFull as error:
        message = f"no space left in {out}: free some and run the same command again, it goes on where it was"
        raise DiskFull(message) from error
    return int(rows.num_rows)


def _write(layout: ExportFormat, rows: pa.Table, reader: FrameReader, out: Path, progress: Progress) -> None:
    remove_tree(out / PARTS)
    pieces = layout.pieces(rows)
    total = sum(piece.rows.num_rows for piece in pieces)
    missing = [piece for piece in pieces if not (out / piece.path).exists()]
    done = total - sum(piece.rows.num_rows for piece in missing)
    try:
        for piece in missing:
            progress("export", done, total)
            _place(layout, piece, reader, out)
            done += piece.rows.num_rows
        for text_name, text in layout.texts(rows).items():
            with draft(out / text_name) as written:
                written.write_text(text, encoding="utf-8")
    finally:
        remove_tree(out / PARTS)
    progress("export", done, total)


def _place(layout: ExportFormat, piece: ExportPiece, reader: FrameReader, out: Path) -> None:
    """Write a piece beside its place and move it there."""
    part = out / PARTS / "part"
    remove_tree(out / PARTS)
    part.parent.mkdir()
    try:
        layout.write(piece, reader, part)
    except pa.ArrowException as error:  # Arrow tells a full disk in words of its own
        if getattr(error, "errno", None) in NO_SPACE or "No space left" in str(error):
            raise OSError(errno.ENOSPC, str(error)) from error
        raise
    target = out / piece.path
    target.parent.mkdir(parents=True, exist_ok=True)
    part.rename(target)


def _claim(out: Path, asked: dict[str, object]) -> None:
    """Mark a folder as that of this export; raises ``UnusableDataset`` where it holds anything else."""
    mark = out / EXPORT_MARK
    if mark.is_file():
        try:
            found = json.loads(mark.read_text(encoding="utf-8"))
        except ValueError:
            found = None
        if found != asked:
            raise UnusableDataset(f"{out} holds another export ({found}), not {asked}: name another folder")
        return
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UnusableDataset(f"{out} holds files that no export has written: name another folder")
    out.mkdir(parents=True, exist_ok=True)
    with draft(mark) as written:
        written.write_text(json.dumps(asked), encoding="utf-8")
