"""The backends of the stage ``indoor_clips``: a further one is a line here, or an entry point of its package."""

from pathlib import Path

from pipeline.stages.backends import Backend, with_backends
from pipeline.stages.base import Resources
from pipeline.stages.indoor_clips.base import IndoorFilter
from pipeline.stages.indoor_clips.settings import (
    ImageNetIndoorSettings,
    IndoorClipsSettings,
    Places365Settings,
    SkyRuleSettings,
    SmallIndoorSettings,
)


def _sky_rule(stage: IndoorClipsSettings, own: SkyRuleSettings, scratch: Path | None) -> IndoorFilter:
    del stage, scratch
    from pipeline.stages.indoor_clips.sky_rule import SkyRule

    return SkyRule(own)


def _imagenet(stage: IndoorClipsSettings, own: ImageNetIndoorSettings, scratch: Path | None) -> IndoorFilter:
    del stage, scratch
    from pipeline.stages.indoor_clips.imagenet import ImageNetFilter

    return ImageNetFilter(own)


def _places365(stage: IndoorClipsSettings, own: Places365Settings, scratch: Path | None) -> IndoorFilter:
    del stage, scratch
    from pipeline.stages.indoor_clips.places365 import Places365Filter

    return Places365Filter(own)


def _small(stage: IndoorClipsSettings, own: SmallIndoorSettings, scratch: Path | None) -> IndoorFilter:
    del stage, scratch
    from pipeline.stages.indoor_clips.small import SmallIndoorFilter

    return SmallIndoorFilter(own)


SKY_RULE = Backend("sky_rule", SkyRuleSettings, _sky_rule)
IMAGENET = Backend("imagenet", ImageNetIndoorSettings, _imagenet)
PLACES365 = Backend("places365", Places365Settings, _places365, resources=Resources(gpu_share=0.1))
SMALL = Backend("small", SmallIndoorSettings, _small)

SETTINGS = with_backends("indoor_clips", IndoorClipsSettings, (IMAGENET, SKY_RULE, PLACES365, SMALL))
"""The settings of the stage, with those of every backend."""


def indoor_filter(settings: IndoorClipsSettings | None = None) -> IndoorFilter:
    """Return the backend that the settings name, by default the first; raises ``SettingsError``."""
    made: IndoorFilter = (settings or SETTINGS()).make()
    return made
