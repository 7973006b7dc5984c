"""Stage 6: every pixel of a clip gets a label and a region, by the backend that the settings name."""

from pathlib import Path

from pipeline.contract.errors import SettingsError
from pipeline.contract.records import Segmenter
from pipeline.stages.semantics.settings import RegionSettings, SemanticsSettings, StructureSettings

__all__ = ["SAN_FEATURES", "RegionSettings", "SemanticsSettings", "StructureSettings", "segmenter"]

SAN_FEATURES = "san.features"
"""Folder in scratch, of all videos together; no video id holds a dot."""


def segmenter(settings: SemanticsSettings | None = None, scratch: Path | None = None) -> Segmenter:
    """Make the backend that ``settings.backend`` names.

    scratch: folder on local disk where a backend may keep what spares it work later; without it nothing is kept.

    Raises:
        SettingsError: ``closed_set`` is asked for without its settings.
    """
    settings = settings or SemanticsSettings()
    if settings.backend == "san":
        from pipeline.stages.semantics.san import SanSegmenter

        return SanSegmenter(settings.san, scratch / SAN_FEATURES if scratch else None)
    if settings.backend == "closed_set":
        from pipeline.stages.semantics.closed_set import ClosedSetBackend

        if settings.closed_set is None:
            raise SettingsError("semantics.closed_set.folder: name the folder of a saved network")
        return ClosedSetBackend(settings.closed_set)
    from pipeline.stages.semantics.structure import StructureSegmenter

    return StructureSegmenter(settings)
