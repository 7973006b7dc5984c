"""The backends of the stage ``reconstruction``: a further one is a line here, or an entry point of its package."""

from pathlib import Path

from pipeline.stages.backends import Backend, with_backends
from pipeline.stages.base import Resources
from pipeline.stages.reconstruction.base import Reconstructor
from pipeline.stages.reconstruction.colmap.settings import ColmapSettings
from pipeline.stages.reconstruction.colmap_moge.settings import ColmapMogeSettings
from pipeline.stages.reconstruction.da3.settings import Da3Settings
from pipeline.stages.reconstruction.dust3r.settings import Dust3rSettings
from pipeline.stages.reconstruction.settings import ReconstructionSettings


def _colmap(stage: ReconstructionSettings, own: ColmapSettings, scratch: Path | None) -> Reconstructor:
    del stage, scratch
    from pipeline.stages.reconstruction.colmap.backend import ColmapReconstructor

    return ColmapReconstructor(own)


def _dust3r(stage: ReconstructionSettings, own: Dust3rSettings, scratch: Path | None) -> Reconstructor:
    del stage, scratch
    from pipeline.stages.reconstruction.dust3r.backend import Dust3rReconstructor

    return Dust3rReconstructor(own)


def _da3(stage: ReconstructionSettings, own: Da3Settings, scratch: Path | None) -> Reconstructor:
    del stage, scratch
    from pipeline.stages.reconstruction.da3.backend import Da3Reconstructor

    return Da3Reconstructor(own)


def _colmap_moge(stage: ReconstructionSettings, own: ColmapMogeSettings, scratch: Path | None) -> Reconstructor:
    del stage, scratch
    from pipeline.stages.reconstruction.colmap_moge.backend import ColmapMogeReconstructor

    return ColmapMogeReconstructor(own)


COLMAP = Backend("colmap", ColmapSettings, _colmap, resources=Resources(cpus=2, memory_gb=2))
DUST3R = Backend("dust3r", Dust3rSettings, _dust3r, resources=Resources(cpus=2, memory_gb=6, gpu_share=1))
DA3 = Backend("da3", Da3Settings, _da3, resources=Resources(cpus=2, memory_gb=6, gpu_share=1))
COLMAP_MOGE = Backend(
    "colmap_moge", ColmapMogeSettings, _colmap_moge, resources=Resources(cpus=2, memory_gb=4, gpu_share=1)
)

SETTINGS = with_backends("reconstruction", ReconstructionSettings, (COLMAP, DUST3R, DA3, COLMAP_MOGE))
"""The settings of the stage, with those of every backend."""


def reconstructor(settings: ReconstructionSettings | None = None) -> Reconstructor:
    """Return the backend that the settings name, by default the first; raises ``SettingsError``."""
    made: Reconstructor = (settings or SETTINGS()).make()
    return made
