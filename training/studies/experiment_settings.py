"""What the experiment compares, and how much is spent on it."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from training.probes.run import ProbeSettings
from training.settings import DistillSettings, FinetuneSettings, LoopSettings
from training.studies.label_efficiency import Study
from training.studies.power import SEEN_DEVIATION

Control = Literal["random_teacher", "shuffled_regions"]
CONTROLS: tuple[Control, ...] = ("random_teacher", "shuffled_regions")
TaughtLabels = Literal["pipeline", "by_scale_sigma", "by_confidence", "by_both", "emptied", "exact"]
Start = Literal["random", "distilled", "random_teacher", "shuffled_regions"]
PRETRAINING = LoopSettings(steps=3000, batch_size=4, learning_rate=2e-3, schedule="cosine", checkpoint_every=50)
FINETUNING = PRETRAINING.model_copy(
    update={"steps": 1000, "learning_rate": PRETRAINING.learning_rate / 4, "score_every": 100, "patience": 3}
)
"""The paper's proportions: a quarter of the rate of pre-training, here until rooms to stop by say that it is enough."""


class Experiment(BaseModel):
    """The paper's experiment in miniature."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    train_rooms: int = Field(100, ge=2, description="rooms with labels, one picture each")
    validation_rooms: int = Field(40, ge=1, description="rooms of other houses, by which fine-tuning is stopped")
    test_rooms: int = Field(300, ge=2, description="rooms that are scored, of other houses")
    controls: tuple[Control, ...] = Field(CONTROLS, description="starts that must gain nothing")
    control_seeds: int = Field(1, ge=1, description="of the study's seeds so many first ones have controls")
    finetuned: tuple[Start, ...] = Field(
        ("random", "distilled"), description="starts that are fine-tuned; a control for those seeds that have it"
    )
    probe: ProbeSettings = ProbeSettings()
    deviation: float = Field(
        SEEN_DEVIATION, gt=0, description="of gains over seeds, in [0, 1]: by it is said beforehand what can be seen"
    )
    teacher: str = Field("dinov2", description="dinov2, efficientnet, san or san_stem")
    weights: str = Field(description="file or registered name of the teacher's weights")
    every: int = Field(1, ge=1, description="of the dataset's frames every n-th is distilled on")
    relabelled_every: int = Field(
        4, ge=1, description="every n-th is rendered again with exact labels, for zero-shot; neighbours are much alike"
    )
    zero_shot: tuple[TaughtLabels, ...] = Field(
        ("pipeline", "exact"),
        description="labels of the dataset's frames that random values are trained on, to be scored on the same rooms: "
        "the dataset's own, alike or counted by how sure they are (by_scale_sigma, by_confidence, by_both, as "
        "finetune's weigh_by), those with what is unknown called empty (emptied), or exact ones; [] for none",
    )
    distill: DistillSettings = DistillSettings(loop=PRETRAINING)
    study: Study = Study(shares=(0.04, 0.2, 1.0), seeds=(0, 1, 2, 3, 4), finetune=FinetuneSettings(loop=FINETUNING))


Size = Literal["cpu", "h100"]
_ON_A_CARD: dict[str, Any] = {"precision": "bf16-mixed", "accelerator": "cuda", "batch_size": 4, "workers": 8}
_IMAGES = "maskdino_r50"
SIZES: dict[Size, dict[str, Any]] = {
    "cpu": {
        "control_seeds": 2,
        "finetuned": ("random", "distilled", *CONTROLS),
        "validation_rooms": 20,
        "distill": {"loop": {"steps": 500}},
        "study": {"finetune": {"loop": {"steps": 200, "score_every": 25}}},
    },
    "h100": {
        "distill": {"image_weights": _IMAGES, "loop": {**_ON_A_CARD, "steps": 3000, "learning_rate": 8e-4}},
        "study": {
            "preset": "paper",
            "seeds": (0, 1, 2),
            "finetune": {
                "image_weights": _IMAGES,
                "loop": {**_ON_A_CARD, "steps": 400, "score_every": 50, "learning_rate": 2e-4},
            },
        },
    },
}
"""What a size changes. Fine-tuning is scored often enough to stop at half of its steps.

cpu: what fits into six hours of a processor's core, five seeds, two of them with controls that are fine-tuned too.
h100: the paper's network, its rates and one pre-training of 12,000 pictures for each of three seeds and two controls,
60,000 together, for an hour of a card.
"""
