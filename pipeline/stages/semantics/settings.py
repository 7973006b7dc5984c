"""Settings of the semantics stage."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from pipeline.stages.semantics.closed_set import ClosedSetSettings
from pipeline.stages.semantics.san import SanSettings


class RegionSettings(BaseModel):
    """Superpixels cut at depth edges."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: int = Field(default=150, ge=4, le=5000, description="Superpixels a frame before cutting (SLidR has 150).")
    compactness: float = Field(
        default=6.0, gt=0, le=100, description="Weight of closeness against colour (SLidR has 6)."
    )
    depth_step: float = Field(
        default=0.06,
        gt=0,
        lt=1,
        description="Step between neighbouring depths that cuts a superpixel, as a share of depth.",
    )
    pixels_min: int = Field(default=24, ge=1, description="Smaller pieces belong to no region.")


class StructureSettings(BaseModel):
    """What tells floor, ceiling and walls by geometry alone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    window_share: float = Field(
        default=0.03, gt=0.005, lt=0.3, description="Side of the window of a plane fit, in picture widths."
    )
    roughness_max: float = Field(
        default=0.03,
        gt=0,
        lt=1,
        description="Greatest deviation of depth from the plane in a window, as a share of depth.",
    )
    slab_m: float = Field(
        default=0.12,
        gt=0.01,
        lt=0.5,
        description="Metres from a floor, ceiling or wall within which a point may be part of it.",
    )
    tilt_max_deg: float = Field(
        default=25.0,
        gt=0,
        lt=45,
        description="Degrees between a pixel's normal and that of the plane it may be part of.",
    )
    wall_top_share: float = Field(
        default=0.8, gt=0, le=1, description="Share of the room's height that a vertical plane rises to, to be a wall."
    )
    wall_top_min_m: float = Field(
        default=1.3,
        gt=0,
        description="Metres that a vertical plane whose top is out of view is seen to rise, to be a wall.",
    )
    seen_behind_max: float = Field(
        default=0.05,
        ge=0,
        le=1,
        description="Points behind such a part of a plane, as a share of those on it, at most.",
    )
    wall_gap_max_m: float = Field(
        default=0.6, ge=0, description="Metres of a plane, hidden or not high enough, that do not interrupt a wall."
    )
    wall_area_min_m2: float = Field(default=0.6, gt=0, description="Square metres of a vertical plane, to be a wall.")


class SemanticsSettings(BaseModel):
    """Which backend labels the pixels, and how."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    backend: Literal["structure", "san", "closed_set"] = Field("structure", description="Name of the segmenter.")
    structure: StructureSettings = StructureSettings()
    san: SanSettings = SanSettings()
    closed_set: ClosedSetSettings | None = Field(None, description="Needed by the backend closed_set: names a folder.")
    regions: RegionSettings = RegionSettings()

    def decisive(self) -> dict[str, Any]:
        """Return what decides the labels: the chosen backend's settings, without those that say where and how fast.

        Raises:
            SettingsError: a vocabulary cannot be used.
        """
        if self.backend == "san":
            return {"backend": self.backend, "san": self.san.decisive()}
        if self.backend == "closed_set":
            own = self.closed_set.model_dump(mode="json", exclude={"batch", "device"}) if self.closed_set else None
            return {"backend": self.backend, "closed_set": own}
        return self.model_dump(mode="json", include={"backend", "structure", "regions"})
