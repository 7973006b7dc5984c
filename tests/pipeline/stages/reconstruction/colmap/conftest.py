"""What was made of synthetic models, which is done once for all tests that look at it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.paths import ROOT
from tests.shared import shared_folder


@pytest.fixture(scope="package")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the functions made of synthetic models, in a process of their own."""
    with shared_folder(tmp_path_factory, "adjusted") as folder:
        if not (folder / "found.json").exists():  # which is written last
            module = "tests.pipeline.stages.reconstruction.colmap.synthetic"
            command = [sys.executable, "-m", module, str(folder)]
            ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
            assert ended.returncode == 0, ended.stderr
        return folder


@pytest.fixture(scope="package")
def found(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "found.json").read_text())
