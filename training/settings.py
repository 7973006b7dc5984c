"""Settings of training: what a run does, on what, and for how long."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

Beta = Annotated[float, Field(ge=0, lt=1)]
Balance = Literal["roots", "regions", "voxels"]
Doubt = Literal["scale_sigma", "confidence"]


class LoopSettings(BaseModel):
    """How a network is optimised. Defaults are those of the paper's fine-tuning (section 5, and Symphonies)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    epochs: int = Field(30, ge=1, description="passes over the samples")
    steps: int | None = Field(
        None, ge=1, description="optimiser steps instead of epochs: the same training whatever the number of samples"
    )
    batch_size: int = Field(1, ge=1, description="samples a device and forward pass; 4 devices x 1 in Symphonies")
    accumulate: int = Field(
        1, ge=1, description="forward passes an optimiser step; commands take 4 samples a step for preset paper"
    )
    learning_rate: float = Field(2e-4, gt=0, description="of AdamW, the highest of its schedule")
    schedule: Literal["step", "cosine"] = Field(
        "step", description="step: the rate falls to a tenth at decay_at; cosine: to nothing, along half a wave"
    )
    warm_up: int = Field(0, ge=0, description="steps over which the learning rate first rises to its highest")
    decay_at: float = Field(25 / 30, gt=0, le=1, description="share of the steps after which the rate falls to a tenth")
    encoder_rate: float = Field(0.1, gt=0, description="learning rate of the image encoder, as a share of the other")
    betas: tuple[Beta, Beta] = Field((0.9, 0.999), description="of AdamW: decay of the mean gradient and of its square")
    epsilon: float = Field(
        1e-3, gt=0, description="of AdamW, Symphonies'; gradients much below it move nothing, as in the small preset"
    )
    weight_decay: float = Field(1e-4, ge=0, description="of AdamW")
    weight_decay_of: Literal["all", "matrices"] = Field(
        "all", description="what decays: all weights, or those of two axes and more, not biases and norms"
    )
    clip_norm: float = Field(35.0, gt=0, description="largest norm of the gradients; larger ones are scaled down")
    ema_decay: float = Field(
        0.0, ge=0, lt=1, description="of the exponential moving average of the weights, which is what is kept; 0: none"
    )
    seed: int = Field(0, ge=0, description="of start values, order of samples, changes to them and dropout")
    precision: Literal["32-true", "bf16-mixed"] = Field("32-true", description="of the arithmetic")
    accelerator: Literal["auto", "cpu", "cuda"] = Field("auto", description="what to run on")
    devices: int = Field(1, ge=1, description="devices of this machine; torchrun's number wins")
    workers: int = Field(2, ge=0, description="processes that read or render samples, a device")
    loader_timeout_s: float = Field(
        1800, ge=0, description="seconds after which a training stops waiting for its workers' next samples; 0: never"
    )
    threads: int | None = Field(None, ge=1, description="CPU threads of torch; else as many as it takes")
    checkpoint_every: int = Field(100, ge=1, description="optimiser steps between saved states")
    log_every: int = Field(10, ge=1, description="optimiser steps between points of the curves")
    score_every: int = Field(
        250, ge=1, description="optimiser steps between scores on what is held out, if anything is"
    )
    patience: int | None = Field(
        None,
        ge=1,
        description="scores on what is held out without a better one after which a training stops; the weights of the "
        "best score are kept. None: go on to the end, keep the last",
    )

    def decisive(self) -> dict[str, Any]:
        """Return, as JSON has it, what decides the weights a training ends with: all but where and how it runs."""
        where_and_how = set(INDECISIVE) if self.patience is None else set(INDECISIVE) - {"score_every"}
        return self.model_dump(mode="json", exclude=where_and_how)

    @model_serializer(mode="wrap")
    def _without_later_defaults(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out later fields at their default: what was made before them keeps its description and its folder."""
        fields = type(self).model_fields
        return {k: v for k, v in dump(self).items() if k not in LATER or getattr(self, k) != fields[k].default}


INDECISIVE = (
    "accelerator",
    "devices",
    "workers",
    "loader_timeout_s",
    "threads",
    "checkpoint_every",
    "log_every",
    "score_every",
)
"""Fields of ``LoopSettings`` that may change while a training is interrupted."""
LATER = (
    "schedule",
    "warm_up",
    "betas",
    "weight_decay_of",
    "ema_decay",
    "loader_timeout_s",
    "threads",
    "score_every",
    "patience",
)
"""Fields of ``LoopSettings`` that networks of the first release were trained without; add what comes later here."""


class ChunkSettings(BaseModel):
    """How an endless stream of rendered samples is drawn from: by chunks, the oldest of which are forgotten."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int = Field(ge=1, description="steps between new chunks")
    kept: int = Field(ge=1, description="newest chunks that samples are drawn from")


class DistillSettings(BaseModel):
    """How a network is pre-trained (section 4.2)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    loss: Literal["superpixel_infonce", "pixel_cosine"] = Field(
        "superpixel_infonce", description="the paper's, by regions; or ScaLR's, by pixels"
    )
    temperature: float = Field(0.07, gt=0, description="of InfoNCE; the paper gives none, 0.07 is SLidR's")
    regions: Literal["stored", "slic"] = Field(
        "stored", description="the dataset's regions, or SLIC superpixels where it has none"
    )
    superpixels: int = Field(150, ge=2, description="superpixels a picture, for slic (SLidR)")
    size_weight: float = Field(
        0.1, ge=0, description="of what keeps features near unit size; the losses themselves do not see their size"
    )
    image_weights: str | None = Field(
        None,
        description="MaskDINO's, where the paper preset's image encoder begins: maskdino_r50, a file; or random",
    )
    pixels: int = Field(4096, ge=1, description="pixels a picture for pixel_cosine")
    pairs: Literal["own", "shuffled"] = Field(
        "own",
        exclude_if=lambda pairs: pairs == "own",
        description="shuffled: a control, in which regions (or pixels) learn from those of any picture of the batch",
    )
    loop: LoopSettings = Field(
        LoopSettings(learning_rate=8e-4), description="as fine-tuning, at 8e-4 (section 5 of the paper)"
    )


class LanguageSettings(BaseModel):
    """How a network learns what is occupied and what it says (POP-3D)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    language_loss: Literal["cosine", "regression"] = Field(
        "cosine", description="one minus the cosine of a voxel's vector with its target, or their squared distance"
    )
    language_weight: float = Field(5.0, gt=0, description="of that loss beside cross-entropy and Lovász, of 1 each")
    language_balance: Balance = Field(
        "roots",
        description="what counts alike: voxels, so that walls drown the rest; regions, so that crumbs do; or halfway, "
        "voxels weighted by the root of their weight where regions count alike",
    )
    image_weights: str | None = Field(
        None,
        description="MaskDINO's, where the paper preset's image encoder begins: maskdino_r50, a file; or random",
    )
    earlier_layers: float = Field(0.5, ge=0, description="weight of the losses of layers before the last")
    loop: LoopSettings = LoopSettings()


class FinetuneSettings(BaseModel):
    """How a network learns from labels."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    image_weights: str | None = Field(
        None,
        description="MaskDINO's, where the paper preset's image encoder begins: maskdino_r50, a file; or random",
    )
    label_share: float = Field(1.0, gt=0, le=1, description="share of the samples whose labels are used")
    label_seed: int = Field(0, ge=0, description="which samples those are")
    linear_probe: bool = Field(False, description="freeze everything but the last 1x1x1 convolution")
    weigh_by: tuple[Doubt, ...] = Field(
        (),
        exclude_if=lambda weigh_by: not weigh_by,
        description="what the voxels of our own dataset count by: the inverse variance of where they lie, by the "
        "deviation of their clip's scale; the confidence of their names; both, multiplied; [] for all alike",
    )
    earlier_layers: float = Field(0.5, ge=0, description="weight of the losses of layers before the last")
    loop: LoopSettings = LoopSettings()
