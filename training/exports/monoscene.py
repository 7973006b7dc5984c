"""MonoScene's layout of NYUv2: a side of a dataset, ours or a benchmark's, as rooms of one numbering."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pipeline.contract.errors import DiskFull, SettingsError
from pipeline.contract.progress import Progress, silent
from pipeline.store.atomic import disk_errors
from training.data.export import export_monoscene
from training.data.nyu import NyuSplit
from training.data.sample import Frames
from training.data.source import FramesSource
from training.data.subset import FrameSubset
from training.exports.chosen import chosen_rows

ExportSide = Literal["train", "validation", "all"]
SIDES: dict[ExportSide, tuple[NyuSplit, ...]] = {"train": ("train",), "validation": ("test",), "all": ("train", "test")}


def export_rooms(
    given: FramesSource,
    out: Path,
    split: ExportSide = "all",
    conditions: Sequence[str] = (),
    progress: Progress = silent,
) -> int:
    """Write a dataset as NYUv2 for the loaders of MonoScene, ISO and Symphonies; return the number of frames.

    The validation side is their test side. The same call again goes on where an earlier one was cut off.

    Raises:
        UnusableDataset: a side has no frame, or the folder holds rooms that no export has written.
        SettingsError: a condition that cannot be understood, or for a dataset that is not ours.
        StageMissing: no frame fulfils the conditions.
        DiskFull: no space; what was finished stays.
    """
    written = 0
    for side in SIDES[split]:
        frames = given.open(side)
        if conditions:
            frames = _filtered(given, frames, conditions)
        try:
            with disk_errors():
                for done, _ in enumerate(export_monoscene(frames, out, side), start=1):
                    progress(side, done, len(frames))
        except DiskFull as error:
            message = f"no space left in {out}: free some and run the same command again, it goes on where it was"
            raise DiskFull(message) from error
        written += len(frames)
    return written


def _filtered(given: FramesSource, frames: Frames, conditions: Sequence[str]) -> Frames:
    if given.kind != "stored":
        raise SettingsError(f"--filter is for our own dataset, whose index has columns; {given.kind} has none")
    rows = chosen_rows(given.store(), "all", conditions)
    kept = {
        f"{video_id}/{row}" for video_id, row in zip(*(rows[n].to_pylist() for n in ("video_id", "row")), strict=True)
    }
    found = [index for index, name in enumerate(frames.names) if name in kept]
    return FrameSubset(frames, found, f"those with {' and '.join(conditions)}")
