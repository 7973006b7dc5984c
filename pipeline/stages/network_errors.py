"""What goes wrong with a network or its weights, in the terms of the pipeline: something to settle before any video."""

from collections.abc import Iterator
from contextlib import contextmanager

from models.errors import ModelError
from pipeline.contract.errors import SettingsError


@contextmanager
def as_settings_error(setting: str) -> Iterator[None]:
    """Raise errors of a network, its weights or its words as ``SettingsError``, with the setting that chose them."""
    try:
        yield
    except (ModelError, FileNotFoundError) as error:
        raise SettingsError(f"{setting}: {error}") from error
