"""The study's table and plot: gains paired by seed and student."""

import pytest

from training.studies.arms import ARMS, Arm
from training.studies.label_efficiency import FinetunedScore
from training.studies.pillar_report import RANDOM, StudentScore, gains, plot, report_of


def scored(student: str, start: str, seed: int, miou: float, *, probe: bool = False) -> StudentScore:
    figures = {"miou all": miou, "iou surface from depth": 0.5}
    return StudentScore(
        student=student, probe=probe, result=FinetunedScore(start=start, share=1, seed=seed, figures=figures)
    )


def test_gains_are_paired_by_seed_and_student():
    arms = (ARMS[0], Arm(name="tours_only", mix="tours"))
    scores = [
        scored("small", start, seed, base + seed / 10, probe=probe)
        for probe, lower in ((False, 0.0), (True, -0.02))
        for start, base in ((RANDOM, 0.1 + lower), ("reference", 0.12 + lower), ("tours_only", 0.09 + lower))
        for seed in (1, 0)
    ]
    assert gains(scores, arms[1], probe=False) == pytest.approx([-0.01, -0.01])
    report = report_of(["* heading"], arms, scores)
    assert "| | random values | small | 15.00 ± 7.07 | | 13.00 ± 7.07 | |" in report
    assert "| reference | reference | small | 17.00 ± 7.07 | 2.00 ± 0.00 | 15.00 ± 7.07 | 2.00 ± 0.00 |" in report
    assert "| mix | tours_only | small | 14.00 ± 7.07 | -1.00 ± 0.00 |" in report
    assert "depth surface alone has IoU 50.00" in report
    assert plot(arms, scores).startswith(b"\x89PNG")


def test_a_score_is_one_line_to_follow_a_study_by():
    assert scored("small", RANDOM, 3, 0.25, probe=True).line() == "small from random, seed 3, probed: mIoU 25.00"
    assert scored("tiny", "per_pixel", 0, 0.5).line() == "tiny from per_pixel, seed 0, fine-tuned: mIoU 50.00"


def test_a_study_cut_short_between_two_starts_has_no_gain_yet():
    scores = [scored("small", RANDOM, 0, 0.1), scored("small", RANDOM, 1, 0.1), scored("small", "reference", 0, 0.2)]
    with pytest.raises(ValueError, match="zip"):
        gains(scores, ARMS[0], probe=False)
    assert gains(scores[::2], ARMS[0], probe=False) == pytest.approx([0.1])


def test_a_single_seed_has_no_deviation():
    scores = [
        scored("small", start, 0, miou, probe=probe)
        for probe in (False, True)
        for start, miou in ((RANDOM, 0.1), ("reference", 0.2))
    ]
    assert "| reference | reference | small | 20.00 (1 seed) | 10.00 (1 seed) |" in report_of([], ARMS[:1], scores)
    assert plot(ARMS[:1], scores).startswith(b"\x89PNG")
