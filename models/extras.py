"""Parts of the project that need more packages than the base install has, each an extra of its own."""

import contextlib
from collections.abc import Iterator

from models.errors import MissingExtra


@contextlib.contextmanager
def extra(name: str, purpose: str) -> Iterator[None]:
    """Say which extra to install where a package is missing that is imported inside the block.

    purpose: what the extra is needed for, in a few words.

    Raises:
        MissingExtra: a package is missing.
    """
    try:
        yield
    except ImportError as error:
        message = f"{purpose} needs the extra '{name}' ({error}): pip install 'youtube-occ[{name}]'"
        raise MissingExtra(message) from error
