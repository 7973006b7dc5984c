"""Copies of files, to be spoiled."""

import shutil
from pathlib import Path


def copied(folder: Path, into: Path) -> Path:
    return Path(shutil.copytree(folder, into / "copy"))
