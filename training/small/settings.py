"""Settings of the recipes: what each of them trains on, and how the loop runs for them unless they say otherwise."""

import warnings
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from models.dust3r import Dust3rConfig
from models.indoor.small import HEIGHT, WIDTH
from models.moge.small import SmallMogeConfig
from pipeline.tours.variety import HouseSettings
from training.settings import ChunkSettings, LoopSettings

LOOP: Mapping[str, Any] = {
    "schedule": "cosine",
    "warm_up": 100,
    "betas": (0.9, 0.98),
    "epsilon": 1e-8,
    "weight_decay": 0.05,
    "weight_decay_of": "matrices",
    "clip_norm": 1.0,
    "ema_decay": 0.998,
    "accelerator": "cpu",
    "workers": 1,
    "threads": 1,
    "checkpoint_every": 50,
}
"""How recipes are optimised where they differ from occupancy networks. On a GPU the views are rendered there, too."""
NEEDED = ("steps", "batch_size", "learning_rate")
"""What every recipe says for itself."""
RENAMED = {
    "batch": "loop.batch_size",
    "gradient_norm": "loop.clip_norm",
    "average": "loop.ema_decay",
    "save_every": "loop.checkpoint_every",
    "device": "loop.accelerator",
    "steps_a_chunk": "chunks.steps",
    "chunks_kept": "chunks.kept",
}
"""Keys below ``loop`` of the first release, and where they are now."""


class AugmentSettings(BaseModel):
    """How much pictures are changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    brightness: float = Field(0.3, ge=0, le=1, description="most that exposure differs, as a log factor")
    contrast: float = Field(0.25, ge=0, le=1, description="most that contrast differs, as a log factor")
    colour: float = Field(0.12, ge=0, le=1, description="most that a channel differs from the others, log factor")
    noise: float = Field(4.0, ge=0, description="most noise, standard deviation in grey levels")
    blur: float = Field(0.5, ge=0, le=1, description="share of pictures that are blurred by a pixel or so")
    jpeg: float = Field(0.3, ge=0, le=1, description="share of pictures whose 8x8 blocks lose their finest detail")


class VarietySettings(BaseModel):
    """How far houses leave the ways of the sample tours."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stretch_floor: float = Field(1.25, ge=1, le=2, description="most that a house is stretched or squeezed along x, y")
    stretch_height: float = Field(1.1, ge=1, le=2, description="most that it is stretched or squeezed in height")
    extra_furniture: int = Field(2, ge=0, le=6, description="most pieces a room gets that its kind does not ask for")
    leave_out: float = Field(0.15, ge=0, le=1, description="share of small objects that are left out")
    recolour: float = Field(0.4, ge=0, le=1, description="share of things whose colours are drawn from all colours")
    swap_pattern: float = Field(0.1, ge=0, le=1, description="share of materials that get the pattern of another")
    light: float = Field(1.6, ge=1, le=4, description="most that lamps, windows and indirect light differ, as a factor")
    tint: float = Field(0.15, ge=0, le=1, description="most that their colours differ, share of a channel")
    houses: HouseSettings = Field(
        HouseSettings(),
        exclude_if=lambda houses: houses == HouseSettings(),
        description="how far they leave the ways of plain tours in heights, forms and finishes",
    )

    @field_validator("houses")
    @classmethod
    def _are_for_training(cls, houses: HouseSettings) -> HouseSettings:
        if houses.held_out:
            raise ValueError("houses.held_out: these are only scored; nothing is trained on them")
        return houses


class ViewpointSettings(BaseModel):
    """Which cameras pictures are taken with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: int = Field(192, ge=32, le=640, description="of the rendered pictures, pixels")
    height: int = Field(144, ge=32, le=480, description="of the rendered pictures, pixels")
    field_of_view: tuple[float, float] = Field((48, 80), description="narrowest and widest across, degrees")
    eye_height: tuple[float, float] = Field((1.1, 1.8), description="lowest and highest camera, metres")
    pitch: tuple[float, float] = Field((-25, 8), description="of the optical axis, degrees")
    roll: float = Field(3, ge=0, description="most that the horizon is tilted, degrees")
    clearance: float = Field(0.3, ge=0, description="kept from walls and furniture, metres")
    median_depth_min: float = Field(0.9, ge=0, description="pictures that show less than so many metres are not taken")
    unusual: float = Field(
        0,
        ge=0,
        le=1,
        exclude_if=lambda share: not share,
        description="share of cameras that are held as few are: overhead, by a seated person or a child, steeply",
    )
    unusual_height: tuple[float, float] = Field(
        (0.4, 2.6), exclude_if=lambda given: given == (0.4, 2.6), description="of those, metres; below the ceiling"
    )
    unusual_pitch: tuple[float, float] = Field(
        (-65, 30), exclude_if=lambda given: given == (-65, 30), description="of those, degrees"
    )


class PairSettings(BaseModel):
    """How far apart the views of a pair are."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stops: int = Field(5, ge=2, le=16, description="views of a walk, of which pairs are made")
    length: float = Field(1.2, gt=0, description="of a walk, metres at most")
    turn: float = Field(14, ge=0, description="standard deviation of the turns between stops, degrees")
    overlap: tuple[float, float] = Field((0.25, 0.98), description="share of either view that the other sees too")
    pairs: int = Field(5, ge=1, description="of a walk, at most")


class RecipeSettings(BaseModel):
    """What every recipe has: how long and how fast, and how the stream of samples runs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    loop: LoopSettings
    chunks: ChunkSettings

    @field_validator("loop", mode="before")
    @classmethod
    def _as_recipes_do(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        missing = [name for name in NEEDED if name not in given]
        if missing:
            raise ValueError(f"a recipe must say its {', '.join(missing)}")
        return {**LOOP, **given}


class IndoorTrainingSettings(RecipeSettings):
    """Everything that decides what the indoor classifier is trained on."""

    houses_a_chunk: int = Field(2, ge=1, description="houses rendered for a chunk")
    views_a_house: int = Field(
        64, ge=4, description="of the rooms, and as many of the garden; a quarter more are titles"
    )
    texel: float = Field(0.03, gt=0, description="finest texture, metres")
    variety: VarietySettings = VarietySettings()
    viewpoints: ViewpointSettings = ViewpointSettings(width=WIDTH, height=HEIGHT)
    augment: AugmentSettings = AugmentSettings()


class SanNetworkSettings(BaseModel):
    """Sizes of the network that the recipe does not set; defaults as in ``SmallSanConfig``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stem: tuple[int, int, int, int] = (24, 48, 96, 160)
    tower_layers: int = Field(3, ge=1)
    recognition_layers: int = Field(1, ge=1)
    side_width: int = Field(128, ge=8)
    side_layers: int = Field(3, ge=1)
    channels: int = Field(64, ge=4)


class SanTrainingSettings(RecipeSettings):
    """Everything that decides what the segmenter is trained on."""

    network: SanNetworkSettings = SanNetworkSettings()
    height: int = Field(120, ge=32, description="of the pictures that the network sees, pixels")
    width: int = Field(160, ge=32, description="of the pictures that the network sees, pixels")
    houses_a_chunk: int = Field(2, ge=1, description="houses rendered for a chunk")
    views_a_house: int = Field(96, ge=1, description="views of each")
    texel: float = Field(0.015, gt=0, description="finest texture, metres")
    crop_min: float = Field(0.7, gt=0, le=1, description="smallest side of what is cut out of a view, in its sides")
    class_weight: float = Field(0.5, ge=0, description="weight of the classes of regions")
    dice_weight: float = Field(1.0, ge=0, description="weight of the overlap of masks")
    binary_weight: float = Field(1.0, ge=0, description="weight of the masks' pixels, each mask by itself")
    pixel_weight: float = Field(1.0, ge=0, description="weight of the masks' pixels, masks against one another")
    absent_weight: float = Field(0.2, ge=0, description="weight of classes that are not in the picture")
    variety: VarietySettings = VarietySettings()
    viewpoints: ViewpointSettings = ViewpointSettings(median_depth_min=1.2)
    augment: AugmentSettings = AugmentSettings()


class Dust3rTrainingSettings(RecipeSettings):
    """Everything that decides what the pointmap network is trained on."""

    network: Dust3rConfig
    start: str | None = Field(
        None, description="weights to begin with, such as those of a training on smaller pictures: a file or a name"
    )
    houses_a_chunk: int = Field(2, ge=1, description="houses rendered for a chunk")
    walks_a_house: int = Field(16, ge=1, description="walks through each")
    texel: float = Field(0.015, gt=0, description="finest texture, metres")
    fresh_confidence: bool = Field(
        False, description="the confidence of the weights to begin with is forgotten; once at 1, nothing moves it"
    )
    confidence_weight: float = Field(
        1.0,
        gt=0,
        description="alpha, weight of log-confidence; at the paper's 0.2 a network that errs by more than a fifth of "
        "the mean distance loses all confidence, and with it its weight in the alignment",
    )
    off_centre: float = Field(
        0.08, ge=0, le=0.5, description="most that the optical axis is beside the picture's middle"
    )
    pairs: PairSettings = PairSettings()
    variety: VarietySettings = VarietySettings()
    viewpoints: ViewpointSettings = ViewpointSettings(median_depth_min=1.2)
    augment: AugmentSettings = AugmentSettings()


class MogeTrainingSettings(RecipeSettings):
    """Everything that decides what the network of single pictures is trained on."""

    network: SmallMogeConfig = SmallMogeConfig()
    start: str | None = Field(
        None,
        exclude_if=lambda start: start is None,
        description="weights to go on from, of a network of the same sizes: a file or a name; else those of ImageNet",
    )
    houses_a_chunk: int = Field(2, ge=1, description="houses rendered for a chunk")
    views_a_house: int = Field(96, ge=1, description="views of each")
    texel: float = Field(0.02, gt=0, description="finest texture, metres")
    oversampled: bool = Field(False, description="whether views are rendered at twice the size and halved, as video is")
    slope_weight: float = Field(1.0, ge=0, description="weight of differences of log depth between near pixels")
    mask_weight: float = Field(0.1, ge=0, description="weight of the mask's cross-entropy")
    scale_weight: float = Field(0.1, ge=0, description="weight of the likelihood of log scale")
    focal_weight: float = Field(0.1, ge=0, description="weight of the likelihood of log focal length")
    variety: VarietySettings = VarietySettings()
    viewpoints: ViewpointSettings = ViewpointSettings()
    augment: AugmentSettings = AugmentSettings()


def renamed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a recipe's settings with keys of the first release under the names they have now; each gives a warning.

    Raises:
        ValueError: a setting is there under both names, or on a device that is no kind of one.
    """
    loop = values.get("loop")
    if not isinstance(loop, Mapping):
        return dict(values)
    now = {**values, "loop": {key: value for key, value in loop.items() if key not in RENAMED}}
    for key in (key for key in loop if key in RENAMED):
        group, _, name = RENAMED[key].partition(".")
        below = now[group] = {**now.get(group, {})}
        if name in below:
            raise ValueError(f"loop.{key} and {RENAMED[key]} are one setting: name the latter alone")
        below[name] = _kind_of(loop[key]) if key == "device" else loop[key]
        warnings.warn(f"loop.{key} is now called {RENAMED[key]}", FutureWarning, stacklevel=2)
    return now


def _kind_of(device: str) -> str:
    """Return the kind of a torch device; which of several GPUs is used is up to CUDA_VISIBLE_DEVICES."""
    kind, _, number = str(device).partition(":")
    if number not in ("", "0"):
        raise ValueError(f"loop.device={device}: write loop.accelerator={kind}, and choose it by CUDA_VISIBLE_DEVICES")
    return kind
