"""Where weights lie on this machine."""

import os
from pathlib import Path

import platformdirs

TRANSFERS = "youtube-occ-downloads"
"""Subfolder of the folder of weights, made and marked by the cache, for what is not whole yet."""


def cache_folder() -> Path:
    """Folder where weights lie."""
    return Path(os.environ.get("YOUTUBE_OCC_WEIGHTS") or platformdirs.user_cache_path("youtube-occ") / "weights")
