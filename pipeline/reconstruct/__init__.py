"""Stage 4: cameras, intrinsics and depth of a clip, up to scale, by the backend that the settings name."""

from pipeline.reconstruct.settings import (
    ColmapSettings,
    PlaneSettings,
    ReconstructSettings,
    SparseSettings,
    SweepSettings,
    TrustSettings,
)
from pipeline.records import Reconstructor

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
        from pipeline.reconstruct.dust3r import Dust3rReconstructor

        return Dust3rReconstructor(settings.dust3r)
    from pipeline.reconstruct.colmap import ColmapReconstructor

    return ColmapReconstructor(settings.colmap)
