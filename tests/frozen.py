"""A frozen tour for tests of the guard, and a checkout whose log is not that of this repository."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from pipeline.store.store import Store
from pipeline.tours.frozen import LOG, LOG_FOLDER
from pipeline.tours.seeds import FROZEN_SEEDS_START
from tests.pipeline.renamed import copy_video

FROZEN = FROZEN_SEEDS_START
"""The first of the frozen tours. Tests build its house at most: nothing of it is rendered or measured."""


def new_checkout(folder: Path) -> Path:
    """Make a repository with one commit that passes for the one that the code runs from."""
    folder.mkdir()
    (folder / "pyproject.toml").write_text("[project]\n")
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-q", "-m", "Begin")
    return folder


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True, text=True).stdout


def pass_for_frozen(data: Path, video_id: str) -> str:
    """Make a stored tour one that is called frozen, as if it had been built during a look; return its id."""
    store, frozen_id = Store(data), f"tour-{FROZEN}"
    copy_video(store, video_id, frozen_id)
    shutil.rmtree(data / "videos" / video_id)
    video = store.video(frozen_id)
    video.write_json("source.json", {**video.read_json("source.json"), "origin": f"tour://{FROZEN}"})
    return frozen_id


def looks(checkout: Path) -> list[dict[str, Any]]:
    """Return the looks that are logged in a checkout."""
    log = checkout / LOG_FOLDER / LOG
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
