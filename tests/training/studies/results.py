"""Scores of networks that nobody trained, with means and gains that are easy to see."""

from training.studies.label_efficiency import FinetunedScore


def result(start: str, share: float, seed: int, miou: float) -> FinetunedScore:
    return FinetunedScore(start=start, share=share, seed=seed, figures={"miou all": miou, "iou all": 2 * miou})


RESULTS = [
    result(start, share, seed, base + share / 10 + seed / 100)
    for start, base in (("random", 0.1), ("distilled", 0.13))
    for share in (0.1, 1.0)
    for seed in (0, 1, 2)
]
