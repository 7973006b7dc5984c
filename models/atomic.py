"""Files that are written beside their place and then renamed into it."""

import contextlib
import secrets
from collections.abc import Iterator
from pathlib import Path

SUFFIX = ".part"


@contextlib.contextmanager
def draft(path: Path) -> Iterator[Path]:
    """Give a path beside ``path``, of a file to be written, which takes the place of ``path`` when the block ends.

    Whoever opens ``path`` finds the old file or the whole new one, never half of one, whichever process is killed when.
    Any number of processes may write the same ``path``: each has a draft of its own, and the last to end stays. An
    error in the block removes the draft and leaves ``path`` as it was; a kill leaves a ``.part`` behind, which nobody
    reads. Nothing is promised about power cuts: readers that must survive those check what they read.

    Raises:
        OSError: the draft was not written, or cannot be renamed.
    """
    written = path.with_name(f"{path.name}.{secrets.token_hex(4)}{SUFFIX}")
    try:
        yield written
        written.replace(path)
    finally:
        written.unlink(missing_ok=True)
