"""Settings of the backend ``colmap_moge``."""

from typing import Annotated, Any, Literal

from pydantic import Field

from models.weights.families import DA3, MOGE
from pipeline.contract.values import HERE_ALONE, NAMED_WEIGHTS
from pipeline.stages.base import StageSettings
from pipeline.stages.reconstruction.colmap.settings import ColmapSettings
from pipeline.stages.reconstruction.fusion_settings import FusionSettings
from pipeline.stages.weight_family import of_family


class ColmapMogeSettings(StageSettings):
    """Backend ``colmap_moge``: structure from motion and dense matching, filled with what MoGe-2 sees."""

    weights: Annotated[str, of_family(MOGE)] = Field(
        "moge_2_vits",
        json_schema_extra=NAMED_WEIGHTS,
        description="registered name (moge_2_vits, moge_2_vitb, moge_2_vitl), or path of a model.pt or its folder",
    )
    level: int = Field(
        0, ge=0, le=9, description="resolution that MoGe-2 works at: 9 has three times the patches of 0, and the cost"
    )
    focal_prior: bool = Field(
        True, description="whether structure from motion starts from MoGe-2's focal length, too: one more mapping"
    )
    device: str | None = Field(
        None, json_schema_extra=HERE_ALONE, description="torch device; none = the GPU if there is one"
    )
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="of the network; auto = bfloat16 on GPUs that have it, else float32"
    )
    colmap: ColmapSettings = ColmapSettings()
    fusion: FusionSettings = FusionSettings()
    da3_weights: Annotated[str | None, of_family(DA3)] = Field(
        None,
        json_schema_extra=NAMED_WEIGHTS,
        description="Depth Anything 3 (da3_small, da3_base, or a path) for clips whose cameras structure from motion "
        "does not find; none: they are left out",
    )

    def decisive(self) -> dict[str, Any]:
        """Return what decides the result."""
        return {**super().decisive(), "colmap": self.colmap.decisive()}
