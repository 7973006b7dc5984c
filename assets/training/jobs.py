"""The jobs of training; each takes the dataset and the networks as they are."""

import dagster as dg

pretrain = dg.define_asset_job(
    "pretrain",
    selection=["teacher_features", "pretrained_network"],
    description="Distil a frozen image network into an occupancy network, on the dataset as it is.",
)

finetune = dg.define_asset_job(
    "finetune", selection=["finetuned_network"], description="Fine-tune the pre-trained network on a benchmark."
)

language = dg.define_asset_job(
    "language",
    selection=["zero_shot_report", "language_network"],
    description="Train a network to be asked in words, and score it beside the one trained on the dataset's labels.",
)

evaluate = dg.define_asset_job(
    "evaluate",
    selection=["zero_shot_report", "label_efficiency_report"],
    description="What pre-training is worth: zero-shot, and with shares of the labels.",
)

study = dg.define_asset_job(
    "study",
    selection=["distillation_study"],
    description="Loss, teacher, student and mix of data of distillation, compared on rendered rooms; many hours.",
)
