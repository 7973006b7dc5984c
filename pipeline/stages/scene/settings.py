"""Settings of the metric stage."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from pipeline.stages.base import StageSettings

WITHOUT_PANES = "2"
"""Code version of scenes, up to release 0.2, in which windows and mirrors are holes."""

FEW_PANES = "14"
"""Code version of scenes in which mirrors that are not walled in, and windows that show the sky, are holes, and by
whose evidence what a floor mirrors may be the floor."""

DOUBTLESS = "13"
"""Code version of scenes whose floor may be what a floor mirrors, or furniture that hides it, and whose scale by
evidence takes every opening for a witness of its own."""

SHOTS_APART = "12"
"""Code version of scenes in which clips of different shots never share a world."""

NEARLY_LEVEL = "11"
"""Code version of scenes that leave out clips whose camera looks down by more than 35 degrees."""

STEEP_AS_SURE = "10"
"""Code version of scenes by which metric depth is as sure where the camera looks up or down steeply."""

ONE_FLOOR = "9"
"""Code version of scenes all of whose frames stand on one floor."""

WITHOUT_STAIRS = "8"
"""Code version of scenes whose scale by evidence does not know stairs, and misses openings behind curtains."""

WITHOUT_OPENINGS = "7"
"""Code version of scenes whose scale by evidence, and whose deviations, know neither doorways nor windows."""

OTHER_SPREADS = "6"
"""Code version of scenes whose scale by evidence, and whose deviations, rest on other spreads of sizes."""

OUTSIDE_THE_TABLE = "5"
"""Code version of scenes whose sizes are not in ``clips.parquet``, and of which metric depth was not asked."""

WITHOUT_WORLDS = "4"
"""Code version of scenes each of whose clips has a world of its own."""

WITHOUT_SIGMA = "3"
"""Code version of scenes that say nothing of how sure their scale is."""

FASTEST = 3.0
"""Fastest camera by default. It is not written down, so that what was stored before it is not made again."""


class OutlierSettings(BaseModel):
    """Radius and statistical filter of the point cloud (paper section 3.2; the paper gives no numbers).

    Lengths are shares of the clip's median depth, since its scale is not known yet.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    voxel_share: float = Field(
        default=0.012, gt=0, le=0.1, description="Side of the cubes that thin the cloud, in median depths."
    )
    radius_share: float = Field(
        default=0.04, gt=0, le=0.5, description="Radius in which a cube needs neighbours, in median depths."
    )
    radius_neighbours: int = Field(
        default=8, ge=1, le=200, description="Filled cubes within the radius; a full plane has about 35."
    )
    statistical_neighbours: int = Field(
        default=20, ge=2, le=200, description="Nearest cubes whose mean distance is compared with the cloud's."
    )
    statistical_deviations: float = Field(
        default=2.0,
        gt=0,
        le=10,
        description="Standard deviations above the cloud's mean distance that make an outlier.",
    )


class PaneSettings(BaseModel):
    """Windows and mirrors: holes that depth has in a wall. Lengths are shares of the clip's median depth."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fill: bool = Field(
        default=True, description="Give what is seen through a window or behind a mirror the depth of its wall."
    )
    cell_share: float = Field(
        default=0.02, ge=0.005, le=0.1, description="Side of the cells in which a wall is looked at, in median depths."
    )
    beyond_share: float = Field(
        default=0.35,
        ge=0.1,
        le=2,
        description="How far behind a wall depth must lie, in median depths; what is nearer is a niche or a shelf.",
    )
    side_share: float = Field(
        default=0.1, ge=0.02, le=1, description="Least width and height of a pane, in median depths."
    )
    rim_share: float = Field(
        default=0.06,
        ge=0.01,
        le=0.5,
        description="Width of the wall that must be seen around a pane, in median depths; bars in it are thinner.",
    )
    rim_seen: float = Field(
        default=0.7, ge=0.3, le=1, description="Share of the wall on each of a pane's four sides that must be seen."
    )
    sill_share: float = Field(
        default=0.1, ge=0, le=1, description="Least height of a pane above the wall's foot; lower ones are doorways."
    )
    filled_min: float = Field(
        default=0.75, ge=0.3, le=1, description="Share of its own upright rectangle that a pane fills, at least."
    )


class SceneSettings(StageSettings):
    """How a clip is turned upright and brought to metres."""

    scale: Literal["paper", "evidence"] = Field(
        default="paper",
        description="What gives a clip its size: one rule after another (paper section 3.2), or floor, ceiling, camera "
        "height and reach of all clips of the video together. The deviation is found either way.",
    )
    wall_height_m: float = Field(
        default=2.8, gt=1, lt=10, description="Metres from floor to ceiling (paper section 3.2)."
    )
    camera_height_m: float = Field(
        default=1.5,
        gt=0.3,
        lt=3,
        description="Metres a hand-held camera is above the floor, where no wall height is seen.",
    )
    camera_height_share: tuple[float, float] = Field(
        default=(0.35, 0.8),
        description="Where between floor (0) and ceiling (1) a hand-held camera may be; else one is not it.",
    )
    fastest_m_s: float = Field(
        default=FASTEST,
        gt=0,
        description="Metres a second (median over steps) above which a clip is left out (TooFast): people who film "
        "walk at 0.3 to 1.2, sped-up films show 2 to 12, and sizes are wrong by up to two thirds.",
    )
    join_shots: bool = Field(
        default=True,
        description="Whether clips of different shots become one map where they show one place and geometry proves it.",
    )
    outliers: OutlierSettings = OutlierSettings()
    panes: PaneSettings = PaneSettings()
    samples: int = Field(
        default=60_000, ge=1000, le=1_000_000, description="Pixels of the clip whose normals are used."
    )
    window_share: float = Field(
        default=0.05, gt=0.005, lt=0.3, description="Side of the window of a plane fit, in picture widths."
    )
    roughness_max: float = Field(
        default=0.03,
        gt=0,
        lt=1,
        description="Greatest deviation of depth from the plane in a window, as a share of depth.",
    )
    tilt_max_deg: float = Field(
        default=35.0,
        gt=0,
        lt=45,
        description="Degrees between up and the mean upright of a camera that does not look down steeply, at most.",
    )
    plane_share: float = Field(
        default=0.015,
        gt=0,
        lt=0.2,
        description="Thickness of a plane, as a share of the median distance from the middle.",
    )
    agreement_deg: float = Field(
        default=8.0, gt=0, lt=30, description="Degrees within which a normal agrees with an up direction."
    )
    up_confidence_min: float = Field(
        default=0.25,
        ge=0,
        le=1,
        description="Share of normals that must agree with up; normals without any order agree to 0.15, those of "
        "small compressed footage to 0.34 and more.",
    )
    level_share: float = Field(
        default=0.1, gt=0, lt=1, description="Share of the horizontal surfaces that a floor or ceiling holds, at least."
    )
    beyond_level_max: float = Field(
        default=0.005, ge=0, lt=1, description="Share of what is seen that may lie below a floor or above a ceiling."
    )
    seed: int = Field(default=0, ge=0, description="Seed of the draws of samples and candidates.")

    def decisive(self) -> dict[str, Any]:
        """Return what decides a scene; what was added later only where somebody changed it: earlier scenes stand."""
        added = {"panes": PaneSettings(), "fastest_m_s": FASTEST, "scale": "paper", "join_shots": True}
        return self.model_dump(mode="json", exclude={name for name in added if getattr(self, name) == added[name]})

    @classmethod
    def unsaid(cls) -> dict[str, Any]:
        """Return how scenes were made that say nothing of what was added later."""
        return cls().model_dump(mode="json", include={"panes", "fastest_m_s", "scale", "join_shots"})

    def earlier(self) -> tuple[str, ...]:
        """Return code versions whose scenes stand: those by the paper's rule, which has not changed.

        Frames of some all have one floor; deviations of some rest on other cues or spreads, some have none; no clips
        share a world in some; windows and mirrors may be holes.
        """
        with_worlds = (
            FEW_PANES,
            DOUBTLESS,
            SHOTS_APART,
            NEARLY_LEVEL,
            STEEP_AS_SURE,
            ONE_FLOOR,
            WITHOUT_STAIRS,
            WITHOUT_OPENINGS,
            OTHER_SPREADS,
        )
        others = (OUTSIDE_THE_TABLE, WITHOUT_WORLDS, WITHOUT_SIGMA, WITHOUT_PANES)
        return (*with_worlds, *others) if self.scale == "paper" else ()
