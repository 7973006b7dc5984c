"""The backends of the stage ``semantics``: a further one is a line here, or an entry point of its package."""

from pathlib import Path

from pipeline.contract.language import RegionNetwork
from pipeline.stages.backends import Backend, with_backends
from pipeline.stages.base import Resources
from pipeline.stages.semantics.base import Segmenter
from pipeline.stages.semantics.settings import ClosedSetSettings, SanSettings, SemanticsSettings, StructureSettings

SAN_FEATURES = "san.features"
"""Folder in scratch, of all videos together; no video id holds a dot."""


def _structure(stage: SemanticsSettings, own: StructureSettings, scratch: Path | None) -> Segmenter:
    del scratch
    from pipeline.stages.semantics.structure import StructureSegmenter

    return StructureSegmenter(own, stage.regions)


def _san(stage: SemanticsSettings, own: SanSettings, scratch: Path | None) -> Segmenter:
    del stage
    from pipeline.stages.semantics.san import SanSegmenter

    return SanSegmenter(own, scratch / SAN_FEATURES if scratch else None)


def _closed_set(stage: SemanticsSettings, own: ClosedSetSettings, scratch: Path | None) -> Segmenter:
    del stage, scratch
    from pipeline.stages.semantics.closed_set import ClosedSetBackend

    return ClosedSetBackend(own)


def san_of(weights: str) -> RegionNetwork:
    """Return SAN with some weights; what ``pipeline.contract.language`` provides."""
    from pipeline.stages.semantics.san import SanSegmenter

    return SanSegmenter(SanSettings(weights=weights))


STRUCTURE = Backend("structure", StructureSettings, _structure)
SAN = Backend("san", SanSettings, _san, ignores=("regions",), resources=Resources(cpus=2, memory_gb=3, gpu_share=0.5))
CLOSED_SET = Backend(
    "closed_set", ClosedSetSettings, _closed_set, ignores=("regions",), resources=Resources(gpu_share=0.5)
)

SETTINGS = with_backends("semantics", SemanticsSettings, (STRUCTURE, SAN, CLOSED_SET))
"""The settings of the stage, with those of every backend."""


def segmenter(settings: SemanticsSettings | None = None, scratch: Path | None = None) -> Segmenter:
    """Return the backend that the settings name, by default the first.

    scratch: folder on local disk where a backend may keep what spares it work later; without it nothing is kept.

    Raises:
        SettingsError: ``closed_set`` is asked for without its settings.
    """
    made: Segmenter = (settings or SETTINGS()).make(scratch)
    return made
