"""Runs the scripts of ``examples`` as a reader would: in a process of their own, from a folder of their own."""

import os
import subprocess
import sys
from pathlib import Path

from tests.paths import ROOT

EXAMPLES = ROOT / "examples"


def run_python(folder: Path, *arguments: str, packages: Path | None = None) -> str:
    """Return what Python prints; packages: a folder with further ones that are installed."""
    paths = [str(ROOT), *([str(packages)] if packages else [])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths), "COLUMNS": "200"}
    command = [sys.executable, "-W", "ignore", *arguments]
    ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def run_script(folder: Path, name: str, *arguments: str) -> str:
    """Return what a script of ``examples`` prints."""
    return run_python(folder, str(EXAMPLES / name), *arguments)
