"""Where work in progress lies that cannot lie beside the data: in a folder of its own in this user's cache."""

import hashlib
import os
from pathlib import Path


def cached_scratch(root: str, protocol: object, *, is_local: bool) -> Path:
    """Return the folder of a bucket, of its server and name, or of a folder of this machine that can only be read."""
    server = "" if is_local else f"{os.environ.get('AWS_ENDPOINT_URL', '')} {protocol} "
    kind, name = "read_only" if is_local else "scratch", hashlib.sha256(f"{server}{root}".encode())
    return Path.home() / ".cache" / "youtube-occ" / kind / name.hexdigest()[:16]
