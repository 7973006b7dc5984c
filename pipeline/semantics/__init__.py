"""Stage 6: every pixel of a clip gets a label and a region, by the backend that the settings name."""

from pipeline.records import Segmenter
from pipeline.semantics.settings import RegionSettings, SemanticsSettings, StructureSettings

__all__ = ["RegionSettings", "SemanticsSettings", "StructureSettings", "segmenter"]


def segmenter(settings: SemanticsSettings | None = None) -> Segmenter:
    """Make the backend that ``settings.backend`` names."""
    from pipeline.semantics.structure import StructureSegmenter

    return StructureSegmenter(settings or SemanticsSettings())
