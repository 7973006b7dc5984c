"""Settings of the backend ``colmap``."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from pipeline.contract.values import HERE_ALONE
from pipeline.stages.base import StageSettings
from pipeline.stages.reconstruction.colmap.lens_settings import LensSettings

LEAST_PROBABILITY = 0.5
"""Least probability by default. It is not written down, so that what was stored before it is not made again."""

LEAST_AROUND = 0.5
"""Least share of neighbours with depth by default; not written down for the same reason."""

SURE_OF_SIZE = 0.07
"""Largest deviation of a part's size by default; not written down for the same reason."""

LEAST_OF_ZOOMS = 0.8
"""On hard tours four right models that zoom have 0.82, two gross ones 0.65 and 0.39."""


class SparseSettings(BaseModel):
    """How cameras are found: SIFT features, exhaustive matching, COLMAP's mapping."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    focal_prior: float = Field(
        0.6, gt=0.2, lt=3, description="Focal length to start from, in picture widths; 0.6 measured on real tours."
    )
    further_priors: tuple[float, ...] = Field(
        (),
        exclude_if=lambda priors: not priors,
        description="Further focal lengths to start from, picture widths; each costs a mapping.",
    )
    max_features: int = Field(
        6000, ge=100, le=20000, description="SIFT features per frame at most; 640x480 frames of rooms have 500 to 4000."
    )
    peak_threshold: float = Field(
        0.004, gt=0, lt=0.1, description="SIFT contrast threshold; COLMAP's 0.0067 misses features of plain walls."
    )
    precise: float = Field(
        0.55,
        ge=0,
        description="Mean reprojection error, pixels, above which coarse features are replaced by fine ones (SIFT on "
        "the doubled picture, 3 to 6 times the time). Coarse ones leave 0.38 to 0.45 on tours, where fine ones win "
        "0.01 degrees, and 0.63 to 0.84 on real clips, whose AUC@10 fine ones raise from 0.83 to 0.95.",
    )
    min_inliers: int = Field(
        15, ge=8, description="Verified matches that make a pair at least; ``walks.min_inliers`` asks for more."
    )
    seed: int = Field(0, ge=0, description="Seed of every RANSAC and random start.")
    timeout_s: float = Field(
        300.0, gt=0, description="Processor seconds after which the mapping of a clip is given up."
    )
    aspect_step: float = Field(
        0.05,
        ge=0,
        description="Pixels are taken as not square where two focal lengths fit better and differ by more than this; "
        "measured: 0.003 to 0.007 on square pixels (tours, ICL-NUIM), 0.11 to 0.25 on anamorphic RealEstate10K clips.",
    )


class WalkSettings(BaseModel):
    """How the cameras of a real walk are found, which turns 10 to 16 degrees from frame to frame.

    Measured on 96 models of 12 real clips. Left out of what is written down where nothing is changed, so that what was
    stored before it is not made again.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    second_prior: float = Field(
        0.85,
        gt=0.2,
        lt=3,
        description="A second focal length to start from, in picture widths, tried on the same matches: of five walks "
        "two go wrong with 0.6 and right with 0.85, of RealEstate10K one the other way round.",
    )
    min_inliers: int = Field(
        30, ge=8, description="Matches that make a pair of frames; false pairs of 15 to 29 glue rigid pieces together."
    )
    max_error: float = Field(2.0, gt=0, le=10, description="Pixels that such a match may lie from its epipolar line.")
    min_inlier_ratio: float = Field(0.25, ge=0, lt=1, description="Share of a pair's matches that must lie so near.")
    fast_turn: float = Field(
        5.0,
        gt=0,
        description="Median turn from frame to frame, degrees, above which frames between are looked at unless two "
        "models agree, and above which fine features are not worth their time.",
    )
    step_turn: float = Field(
        8.0, gt=0, description="Turn of a step, degrees, that frames between are to bring it down to."
    )
    max_between: int = Field(3, ge=0, le=10, description="Frames looked at between two frames of the clip, at most.")
    window: int = Field(10, ge=1, description="Frames up to so far apart are matched where there are frames between.")
    xfeat: bool = Field(
        False,
        description="Whether what still fails is tried with XFeat (Potje et al. 2024), the only features that place a "
        "room without texture; needs the extra ``xfeat``.",
    )
    xfeat_features: int = Field(2000, ge=100, description="XFeat features per frame at most.")
    xfeat_window: int = Field(5, ge=1, description="Frames up to so far apart are matched with XFeat.")
    xfeat_inliers: int = Field(
        40, ge=8, description="Matches that make a pair with XFeat; with 15 at 4 px all pairs pass, right or wrong."
    )
    xfeat_inlier_ratio: float = Field(
        0.4,
        ge=0,
        lt=1,
        description="Share of a pair's XFeat matches that must fit: on one textureless clip 0.3 joined pairs that are "
        "wrong by 25 degrees, 0.4 placed all frames, 0.5 a quarter of them.",
    )
    min_share: float = Field(
        0.6, ge=0, le=1, description="Share of frames with a camera below which more frames or features are tried."
    )


class SweepSettings(BaseModel):
    """How dense depth is found: plane sweep, semi-global smoothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: int = Field(
        320, ge=64, le=640, multiple_of=4, description="Width of depth maps, pixels; a quarter of the work of 640."
    )
    sources: int = Field(6, ge=2, le=12, description="Views that each view is matched with, at most.")
    best_angle: float = Field(
        5.0, gt=0, lt=45, description="Angle between rays that tells depth best, degrees (MVSNet's 5)."
    )
    nearer: float = Field(0.6, gt=0, le=1, description="Nearest depth looked for, in nearest sparse points (2 %).")
    farther: float = Field(1.5, ge=1, description="Farthest depth looked for, in farthest sparse points (98 %).")
    step: float = Field(0.75, gt=0, description="Pixels between planes in the source with the widest baseline.")
    min_planes: int = Field(32, ge=8, description="Planes at least.")
    max_planes: int = Field(96, ge=8, description="Planes at most.")
    radius: int = Field(3, ge=1, le=10, description="Windows are 2 * radius + 1 pixels wide.")
    noise: float = Field(
        0.012, gt=0, lt=0.2, description="Noise of a pixel, white = 1: texture weaker than this tells nothing."
    )
    slant_price: float = Field(0.1, ge=0, description="Price of a change by one plane, in matching cost.")
    edge_price: float = Field(1.2, ge=0, description="Price of a jump in depth where the picture is smooth.")
    edge_contrast: float = Field(0.04, gt=0, description="Contrast, white = 1, that halves the price of a jump.")
    tolerance: float = Field(
        0.02, gt=0, lt=0.5, description="Relative difference of depth up to which two views see the same surface."
    )
    max_tolerance: float = Field(
        0.06, gt=0, lt=0.5, description="The same where planes lie farther apart than that: far away, little parallax."
    )
    min_support: int = Field(2, ge=1, description="Views that must agree with a depth for it to be given.")
    min_around: float = Field(
        LEAST_AROUND,
        ge=0,
        le=1,
        exclude_if=lambda value: value == LEAST_AROUND,
        description="Share of the pixels around one that must have depth too for its own to be given.",
    )


class PlaneSettings(BaseModel):
    """How planes fill what texture cannot tell."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    contrast: float = Field(
        40.0, gt=0, description="Felzenszwalb's scale: larger values make larger regions of even colour."
    )
    min_pixels: int = Field(60, ge=8, description="Smallest region, pixels of the depth map.")
    min_known: float = Field(0.1, gt=0, le=1, description="Share of a region that must have depth.")
    min_inliers: float = Field(0.6, gt=0, le=1, description="Share of that depth that must lie on one plane.")
    tolerance: float = Field(0.03, gt=0, lt=0.5, description="Relative distance in depth up to which it does.")
    tries: int = Field(
        48, ge=8, description="Triples of pixels drawn for a plane (RANSAC); one in five is all inliers at 0.6."
    )


class SignBounds(BaseModel):
    """How bad a sign (``evidence.py``) may be by itself; of 30 grossly wrong models of real clips none passed these."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_epipolar: float = Field(
        4.0, gt=0, description="Largest 90th percentile over pairs of the distance from epipolar lines, pixels."
    )
    max_contradicted: float = Field(
        0.2, ge=0, le=1, description="Largest share of pairs of which the cameras explain less than half."
    )
    min_observations: int = Field(20, ge=0, description="Points that every registered camera sees at least.")
    max_apart: float = Field(
        4.0,
        gt=0,
        description="Degrees by which two models of different input may differ and still agree (rotations, 90th "
        "percentile; half of it for directions of movement, median).",
    )
    max_jump: float = Field(
        2.5,
        gt=1,
        description="Longest step between successive cameras, in median steps, that is believed without a second "
        "model that agrees.",
    )
    max_agreed_jump: float = Field(50.0, gt=1, description="The same with one; a model that collapsed has 1e5 or more.")


class TrustSettings(BaseModel):
    """What a reconstruction must pass before it is handed on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_frames: int = Field(3, ge=2, description="Registered frames at least; two cannot be checked.")
    min_parallax: float = Field(
        1.5, ge=0, description="Pixels that matches must move beyond what any turn of the camera explains (median)."
    )
    min_angle: float = Field(1.5, ge=0, description="Median triangulation angle of the points at least, degrees.")
    focal_range: tuple[float, float] = Field(
        (0.35, 2.5), description="Believable focal lengths in picture widths: 110 to 23 degrees of view."
    )
    max_focal_disagreement: float = Field(0.25, gt=0, description="No longer looked at; stored fingerprints hold it.")
    max_rotation_disagreement: float = Field(
        4.0, gt=0, description="Largest change of a relative rotation when half of the clip is adjusted alone, degrees."
    )
    max_behind: float = Field(0.02, ge=0, le=1, description="Largest share of observations behind their camera.")
    signs: SignBounds = Field(
        SignBounds(), exclude_if=lambda bounds: bounds == SignBounds(), description=SignBounds.__doc__
    )
    max_size_deviation: float = Field(
        SURE_OF_SIZE,
        gt=0,
        exclude_if=lambda value: value == SURE_OF_SIZE,
        description="Standard deviation of ln of size, of a part of the clip beside the rest, above which the smaller "
        "of the two is left out: they hang together at one frame.",
    )
    min_probability: float = Field(
        LEAST_PROBABILITY,
        ge=0,
        le=1,
        exclude_if=lambda value: value == LEAST_PROBABILITY,
        description="Probability that cameras and depth are right below which a clip is left out "
        "(UnlikelyReconstruction), 0: none is. Results of releases without it count as made with the default.",
    )
    min_probability_zoomed: float = Field(
        LEAST_OF_ZOOMS,
        ge=0,
        le=1,
        exclude_if=lambda value: value == LEAST_OF_ZOOMS,
        description="The same of clips whose lens zooms, if it is more: whatever wrong cameras need, a zoom may give.",
    )


class ColmapSettings(StageSettings):
    """Backend ``colmap``: structure from motion, then dense depth by plane sweep."""

    threads: int | None = Field(
        None, ge=1, json_schema_extra=HERE_ALONE, description="CPU threads of dense depth; all cores by default."
    )
    sparse: SparseSettings = SparseSettings()
    walks: WalkSettings = Field(
        WalkSettings(), exclude_if=lambda walks: walks == WalkSettings(), description=WalkSettings.__doc__
    )
    sweep: SweepSettings = SweepSettings()
    planes: PlaneSettings = PlaneSettings()
    trust: TrustSettings = TrustSettings()
    lens: LensSettings = LensSettings()

    def decisive(self) -> dict[str, Any]:
        """Return what decides the result; lenses only where somebody changed them, since earlier results stand."""
        return self.model_dump(mode="json", exclude={"lens"} if self.lens == LensSettings() else None)

    def without_lens(self, aspect_step: float | None = None, focal: float | None = None) -> "ColmapSettings":
        """Return the same settings without a look for the lens; aspect_step, focal: other ones, where given."""
        lens = self.lens.model_copy(update={"correct": False} | ({} if focal is None else {"focal": focal}))
        sparse = self.sparse.model_copy(update={} if aspect_step is None else {"aspect_step": aspect_step})
        return self.model_copy(update={"lens": lens, "sparse": sparse})

    def drawn(self, draw: int) -> "ColmapSettings":
        """Return the same settings with other samples for every ``draw`` but 0."""
        return self.model_copy(update={"sparse": self.sparse.model_copy(update={"seed": self.sparse.seed + draw})})
