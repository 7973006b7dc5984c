"""Stage 4: cameras, intrinsics and depth of a clip, up to scale, by the backend that the settings name."""

from pipeline.contract.records import Reconstructor
from pipeline.stages.reconstruction.colmap.settings import (
    ColmapSettings,
    PlaneSettings,
    ReconstructSettings,
    SparseSettings,
    SweepSettings,
    TrustSettings,
)

__all__ = [
    "ColmapSettings",
    "PlaneSettings",
    "ReconstructSettings",
    "SparseSettings",
    "SweepSettings",
    "TrustSettings",
    "reconstructor",
]


def reconstructor(settings: ReconstructSettings | None = None) -> Reconstructor:
    """Make the backend that ``settings.backend`` names."""
    settings = settings or ReconstructSettings()
    if settings.backend == "dust3r":
        from pipeline.stages.reconstruction.dust3r.backend import Dust3rReconstructor

        return Dust3rReconstructor(settings.dust3r)
    from pipeline.stages.reconstruction.colmap.backend import ColmapReconstructor

    return ColmapReconstructor(settings.colmap)
