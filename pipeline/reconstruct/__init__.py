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
    from pipeline.reconstruct.colmap import ColmapReconstructor

    return ColmapReconstructor((settings or ReconstructSettings()).colmap)
