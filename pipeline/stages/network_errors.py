"""What goes wrong with a network or its weights, in the terms of the pipeline: something to settle before any video.

Weights that no server gives at the moment are the exception: nobody has to settle anything, and all is tried again. So
is a device that this machine does not have, since another one of the same dataset may.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from models.errors import ModelError, NoSuchDevice, WeightsUnreachable
from pipeline.contract.errors import DeviceMissing, SettingsError, WeightsAway


@contextmanager
def as_settings_error(setting: str) -> Iterator[None]:
    """Raise errors of a network, its weights or its words as ``SettingsError``, with the setting that chose them.

    Weights that cannot be reached are raised as ``WeightsAway``, a device that is not there as ``DeviceMissing``.
    """
    try:
        yield
    except WeightsUnreachable as error:
        raise WeightsAway(f"{setting}: {error}") from error
    except NoSuchDevice as error:
        raise DeviceMissing(f"{setting}: {error}") from error
    except (ModelError, FileNotFoundError) as error:
        raise SettingsError(f"{setting}: {error}") from error
