"""Settings of training: what a run does, on what, and for how long."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Balance = Literal["roots", "regions", "voxels"]


class LoopSettings(BaseModel):
    """How a network is optimised. Defaults are those of the paper's fine-tuning (section 5, and Symphonies)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    epochs: int = Field(30, ge=1, description="passes over the samples")
    steps: int | None = Field(
        None, ge=1, description="optimiser steps instead of epochs: the same training whatever the number of samples"
    )
    batch_size: int = Field(1, ge=1, description="samples a device and forward pass; 4 devices x 1 in Symphonies")
    accumulate: int = Field(1, ge=1, description="forward passes an optimiser step")
    learning_rate: float = Field(2e-4, gt=0, description="of AdamW")
    encoder_rate: float = Field(0.1, gt=0, description="learning rate of the image encoder, as a share of the other")
    epsilon: float = Field(
        1e-3, gt=0, description="of AdamW, Symphonies'; gradients much below it move nothing, as in the small preset"
    )
    weight_decay: float = Field(1e-4, ge=0, description="of AdamW")
    decay_at: float = Field(25 / 30, gt=0, le=1, description="share of the steps after which the rate falls to a tenth")
    clip_norm: float = Field(35.0, gt=0, description="largest norm of the gradients; larger ones are scaled down")
    seed: int = Field(0, ge=0, description="of start values, order of samples and dropout")
    precision: Literal["32-true", "bf16-mixed"] = Field("32-true", description="of the arithmetic")
    accelerator: Literal["auto", "cpu", "cuda"] = Field("auto", description="what to run on")
    devices: int = Field(1, ge=1, description="devices of this machine; torchrun's number wins")
    workers: int = Field(2, ge=0, description="processes that read samples, a device")
    checkpoint_every: int = Field(100, ge=1, description="optimiser steps between saved states")
    log_every: int = Field(10, ge=1, description="optimiser steps between points of the curves")


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
        None, description="MaskDINO R50 checkpoint to start the paper preset's image encoder from: a file"
    )
    pixels: int = Field(4096, ge=1, description="pixels a picture for pixel_cosine")
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
        "voxels weighed by the root of what they would weigh for regions to count alike",
    )
    image_weights: str | None = Field(
        None, description="MaskDINO R50 checkpoint to start the paper preset's image encoder from: a file"
    )
    earlier_layers: float = Field(0.5, ge=0, description="weight of the losses of layers before the last")
    loop: LoopSettings = LoopSettings()


class FinetuneSettings(BaseModel):
    """How a network learns from labels."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    image_weights: str | None = Field(
        None, description="MaskDINO R50 checkpoint to start the paper preset's image encoder from: a file"
    )
    label_share: float = Field(1.0, gt=0, le=1, description="share of the samples whose labels are used")
    label_seed: int = Field(0, ge=0, description="which samples those are")
    linear_probe: bool = Field(False, description="freeze everything but the last 1x1x1 convolution")
    earlier_layers: float = Field(0.5, ge=0, description="weight of the losses of layers before the last")
    loop: LoopSettings = LoopSettings()
