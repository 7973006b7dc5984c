"""Settings of the stage ``semantics``."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from models.weights.families import SAN
from pipeline.contract.values import NAMED_WEIGHTS, WEIGHTS_PATH
from pipeline.contract.vocabulary import Vocabulary, default_vocabulary, load_vocabulary
from pipeline.stages.backends import BackendSettings
from pipeline.stages.base import StageSettings
from pipeline.stages.weight_family import of_family

FLOOR_AT_ZERO = "2"
"""Code version of labels for which the floor of every frame is at z = 0."""


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


class SanSettings(StageSettings):
    """How SAN is run on a clip, and how its proposals become labels and regions."""

    weights: Annotated[str, of_family(SAN)] = Field(
        "san_vit_b_16",
        min_length=1,
        json_schema_extra=NAMED_WEIGHTS,
        description="name in the weights registry, or a checkpoint's path",
    )
    vocabulary: Path | Vocabulary | None = Field(
        None, description="YAML file of prompts, or the prompts themselves; none: those that come with the project"
    )
    short_side: int = Field(640, ge=64, le=2560, description="pixels of a picture's short side (SAN's evaluation: 640)")
    batch: int = Field(4, ge=1, le=64, description="frames at once; four of 640x853 pixels stay under 3 GB")
    device: str | None = Field(None, description="torch device the network runs on; none: the GPU if there is one")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="arithmetic; auto: bfloat16 on GPUs that have it, else float32"
    )
    features: Path | None = Field(
        None,
        description="folder that keeps what the image network says (0.5 MB a frame), so that new words need no new run "
        "of it; none: beside the work in progress",
    )
    features_gb: float = Field(
        10.0, ge=0, description="gigabytes of that folder; what was not used for longest is dropped; 0 keeps nothing"
    )
    contrast_min: float = Field(3.0, ge=0, le=255, description="grey levels of spread below which a frame is blank")
    score_min: float = Field(0.1, ge=0, le=1, description="least score of a pixel's best class, or it stays unknown")
    proposal_score_min: float = Field(0.1, ge=0, le=1, description="least P(class) of a proposal that makes a region")
    proposal_kept_min: float = Field(
        0.8, ge=0, le=1, description="least share of a proposal's mask that others leave it (MaskFormer: 0.8)"
    )
    region_pixels_min: int = Field(64, ge=16, description="pixels of the smallest region")

    def decisive(self) -> dict[str, Any]:
        """Return what decides labels: the words rather than the file they stand in, and not where or how fast.

        Raises:
            SettingsError: the vocabulary cannot be used.
        """
        aside = {"vocabulary", "batch", "device", "features", "features_gb"}
        words = self.words().model_dump(mode="json")
        return {**self.model_dump(mode="json", exclude=aside), "vocabulary": words}

    def words(self) -> Vocabulary:
        """Return the vocabulary.

        Raises:
            SettingsError: it cannot be read, or not be used.
        """
        if isinstance(self.vocabulary, Vocabulary):
            return self.vocabulary
        return load_vocabulary(self.vocabulary) if self.vocabulary else default_vocabulary()


class ClosedSetSettings(StageSettings):
    """How a closed-set segmenter is run, and how its scores become labels and regions."""

    folder: Path = Field(
        json_schema_extra=WEIGHTS_PATH, description="folder of a saved network: config.json and model.safetensors"
    )
    short_side: int = Field(512, ge=64, le=2560, description="pixels of a picture's short side (ADE20K models: 512)")
    batch: int = Field(2, ge=1, le=64, description="frames at once")
    device: str | None = Field(None, description="torch device the network runs on; none: the GPU if there is one")
    contrast_min: float = Field(3.0, ge=0, le=255, description="grey levels of spread below which a frame is blank")
    score_min: float = Field(0.1, ge=0, le=1, description="least score of a pixel's best class, or it stays unknown")
    region_pixels_min: int = Field(64, ge=16, description="pixels of the smallest region")

    def decisive(self) -> dict[str, Any]:
        """Return what decides labels, and not where or how fast."""
        return self.model_dump(mode="json", exclude={"batch", "device"})


class SemanticsSettings(BackendSettings):
    """Who labels the pixels, and how."""

    regions: RegionSettings = RegionSettings()

    def earlier(self) -> tuple[str, ...]:
        """Return the code version whose labels stand: of scenes whose frames all stand on z = 0, as in all releases."""
        return (FLOOR_AT_ZERO,)
