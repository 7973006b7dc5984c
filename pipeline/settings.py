"""All settings of the pipeline: one model a stage, a profile by name, a YAML file and single values on top.

Every number is described where it is defined; ``python -m pipeline settings`` prints them all.
"""

import os
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.contract.errors import SettingsError
from pipeline.dataset.filters import FilterSettings
from pipeline.geometry.voxels import VoxelSettings
from pipeline.stages.clips.settings import SceneSettings
from pipeline.stages.indoor_clips.sky_rule import IndoorSettings
from pipeline.stages.reconstruction.colmap.settings import ReconstructSettings
from pipeline.stages.scene.settings import MetricSettings
from pipeline.stages.semantics.settings import SemanticsSettings
from pipeline.stages.video.settings import DownloadSettings

DATA_VARIABLE = "YOUTUBE_OCC_DATA"


class DatasetSettings(BaseModel):
    """How videos are gathered into the dataset."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    validation_share: float = Field(0.1, ge=0, le=1, description="share of videos in the validation split")
    give_up_after: int = Field(3, ge=1, description="tries after which a video whose network or process fails is left")
    parallel_videos: int = Field(2, ge=1, description="videos that build_dataset works on at once")
    poll_cron: str = Field("0 * * * *", description="when the sources are looked at again, as cron writes it")
    requests_per_tick: int = Field(20, ge=1, description="runs that the sensor new_videos requests at a time")
    filters: FilterSettings = Field(FilterSettings(), description="which clips are left out for their scores")
    order: Literal["oldest", "newest"] = Field("oldest", description="which videos are fetched and built first")
    keep_videos: bool = Field(True, description="keep source videos; else each is deleted once its frames are stored")


class Settings(BaseModel):
    """The settings of all stages; frozen, unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    profile: str = "classic"
    download: DownloadSettings = DownloadSettings()
    scenes: SceneSettings = SceneSettings()
    indoor: IndoorSettings = IndoorSettings()
    reconstruct: ReconstructSettings = ReconstructSettings()
    metric: MetricSettings = MetricSettings()
    semantics: SemanticsSettings = SemanticsSettings()
    voxelize: VoxelSettings = VoxelSettings()
    dataset: DatasetSettings = DatasetSettings()


PROFILES: dict[str, dict[str, Any]] = {
    "classic": {
        "indoor": {"backend": "sky_rule"},
        "reconstruct": {"backend": "colmap"},
        "semantics": {"backend": "structure"},
    },
    "small": {
        "indoor": {"backend": "small"},
        "reconstruct": {"backend": "colmap"},
        "semantics": {"backend": "san", "san": {"weights": "san_small", "short_side": 96}},
    },
    "youtube_occ": {
        "indoor": {"backend": "places365"},
        "reconstruct": {"backend": "dust3r"},
        "semantics": {"backend": "san"},
    },
}
"""What each profile sets: ``classic`` needs no weights, ``small`` has its own, ``youtube_occ`` fetches the paper's."""


def load_settings(
    profile: str = "classic", file: Path | None = None, overrides: dict[str, Any] | None = None
) -> Settings:
    """Return a profile's settings with a YAML file and then ``overrides`` (nested mappings) laid over them.

    Raises:
        SettingsError: no such profile or file, unknown key, value out of bounds; the message names it.
    """
    if profile not in PROFILES:
        message = f"there is no profile {profile!r}; choose one of {', '.join(PROFILES)}"
        raise SettingsError(message)
    layers = [PROFILES[profile], _read_yaml(file) if file else {}, overrides or {}]
    merged: dict[str, Any] = {"profile": profile}
    for layer in layers:
        merged = laid_over(merged, layer)
    try:
        return Settings.model_validate(merged)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        message = f"settings{f' in {file}' if file else ''}: {problems}"
        raise SettingsError(message) from error


def data_url(given: str | None = None) -> str:
    """Return where the dataset lies: as given, else ``YOUTUBE_OCC_DATA``, else ``./data``."""
    return given or os.environ.get(DATA_VARIABLE) or "data"


def _read_yaml(file: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(file.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        message = f"cannot read the settings file {file}: {error}"
        raise SettingsError(message) from error
    if not isinstance(content, dict):
        message = f"{file} must hold a mapping such as 'scenes: {{frames_per_second: 3}}'"
        raise SettingsError(message)
    return content


def laid_over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Return nested mappings merged, ``above`` winning where both have a value."""
    merged = dict(below)
    for key, value in above.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = laid_over(merged[key], value) if both else value
    return merged
