"""Occupancy networks, and small networks that ship: datasets, losses, one loop, benchmarks.

``data``: samples of our store, NYUv2 and OccScanNet. ``teachers``: frozen networks to learn from. ``tasks`` and
``language``: what is learned. ``loop`` and ``runs``: how. ``scores`` and ``studies``: what it was worth. ``small``: the
recipes of the networks that ship. ``settings``: everything that can be set of a training.

>>> frames = OccupancyDataset(pipeline.Dataset("data", split="train"))    # for torch's DataLoader
>>> samples = FramesSource(kind="nyu", path="nyu").open("train")          # what the functions below train on
>>> finetune(samples, "paper", None, FinetuneSettings(), folder)          # also pretrain, learn_language
>>> evaluate(load_network(folder), samples, "NYUv2")                      # IoU, mIoU, by class
"""

from typing import TYPE_CHECKING

from models.lazy import lazy

if TYPE_CHECKING:
    from training.checkpoints import load_network
    from training.data.occupancy_dataset import OccupancyDataset
    from training.data.source import FramesSource
    from training.runs import finetune, learn_language, pretrain
    from training.scores.evaluate import evaluate
    from training.settings import DistillSettings, FinetuneSettings, LanguageSettings, LoopSettings

__all__ = [
    "DistillSettings",
    "FinetuneSettings",
    "FramesSource",
    "LanguageSettings",
    "LoopSettings",
    "OccupancyDataset",
    "evaluate",
    "finetune",
    "learn_language",
    "load_network",
    "pretrain",
]

__getattr__ = lazy(
    __name__,
    {
        "DistillSettings": "training.settings",
        "FinetuneSettings": "training.settings",
        "FramesSource": "training.data.source",
        "LanguageSettings": "training.settings",
        "LoopSettings": "training.settings",
        "OccupancyDataset": "training.data.occupancy_dataset",
        "evaluate": "training.scores.evaluate",
        "finetune": "training.runs",
        "learn_language": "training.runs",
        "load_network": "training.checkpoints",
        "pretrain": "training.runs",
    },
)
