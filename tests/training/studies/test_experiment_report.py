"""The experiment's report: a control that scores like the real arm is said in the first line."""

import re

import numpy as np
import pytest

from pipeline.contract.classes import OCCUPIED_CLASSES, SemanticClass
from tests.training.studies.results import RESULTS, result
from training.probes.scores import HouseCounts, ProbeScore
from training.studies.experiment_report import (
    _finetuned,
    class_table,
    probe_table,
    report_of,
    report_of_probes,
    verdict,
)
from training.studies.label_efficiency import FinetunedScore


def scored(start: str, right: float, seed: int = 0, rooms: int = 4) -> ProbeScore:
    """Thirty houses in which a share of the voxels of every class is right."""
    rng = np.random.default_rng(seed)
    houses = {}
    for number in range(30):
        true = rng.integers(40, 60, 11)
        matched = np.round(true * np.clip(right + rng.normal(0, 0.02, 11), 0, 1)).astype(int)
        rows = [tuple(row.tolist()) for row in (matched, true, true)]
        houses[f"house{number}"] = HouseCounts(matched=rows[0], predicted=rows[1], true=rows[2])
    return ProbeScore(start=start, rooms=rooms, seed=seed, ridge=0.1, houses=houses)


REAL = [scored("random", 0.4), scored("random", 0.41, 1), scored("distilled", 0.6), scored("distilled", 0.59, 1)]


def test_controls_that_fail_are_said_to():
    line = verdict([*REAL, scored("random_teacher", 0.42), scored("shuffled_labels", 0.05)])
    assert line.startswith("Controls score below the real arm, as they must")
    assert "random_teacher (+" in line
    assert "shuffled_labels (+" in line


def test_a_control_that_scores_like_the_real_arm_comes_first():
    line = verdict([*REAL, scored("random_teacher", 0.6), scored("shuffled_labels", 0.05)])
    assert line.startswith("**Controls score like the real arm: random_teacher (")
    alike, others = line.split("**")[1:]
    assert "shuffled_labels" not in alike
    assert "Below it, as they must: shuffled_labels (+" in others
    better = verdict([*REAL, scored("shuffled_regions", 0.7)])
    assert better.startswith("**Controls score like the real arm: shuffled_regions (-")


def test_a_report_without_controls_says_so():
    assert verdict(REAL).startswith("**No control was run**")


def test_the_first_line_tells_the_gain_over_random_values_or_that_there_is_none():
    more = [scored("random", 0.5, rooms=20), scored("distilled", 0.6, rooms=20)]
    assert re.search(r" Over random values: \+\d+\.\d+ \[\+.*\] with 20 labelled rooms\.$", verdict([*REAL, *more]))
    better_start = [scored("random", 0.6), scored("distilled", 0.59), scored("random_teacher", 0.3)]
    assert "**It shows no gain over random values**: -" in verdict(better_start)
    assert "random values" not in verdict([scored("distilled", 0.6), scored("random_teacher", 0.3)])


PROBED = [*REAL, scored("random_teacher", 0.42), scored("shuffled_labels", 0.05)]
BY_START = {"distilled": (12.64, 5.91, 10.3, 12.0, 12.0), "random": (10.65, 2.49, 7.61, 9.5, 5.8)}


def tuned(share: float = 0.08, **controls: tuple[float, ...]) -> list[FinetunedScore]:
    """Fine-tuned networks: mIoU in points of every start, by seed."""
    return [
        result(start, share, seed, points / 100)
        for start, values in {**BY_START, **controls}.items()
        for seed, points in enumerate(values)
    ]


@pytest.mark.parametrize(
    ("points", "begins", "named"),
    [
        (
            (2.6, -4.0, 0.4, 2.0, 2.1),
            "Controls score below the real arm, as they must",
            "(+9.95 [+9.87, +10.03], seeds: 5)",
        ),
        (
            (12.55, 3.3),
            "**Not all controls can be told from the real arm with so few seeds: random_teacher",
            "seeds: 2)",
        ),
        ((2.6,), "**Not all controls can be told from the real arm with so few seeds: random_teacher", "[-inf, +inf]"),
        ((13.0, 6.0, 11.0, 12.5, 12.1), "**Controls score like the real arm: random_teacher fine-tuned", "(-"),
        ((12.6, 5.95, 10.2, 12.1, 11.9), "**Controls score like the real arm: random_teacher fine-tuned", "(+"),
        ((13.0, 6.0), "**Controls score like the real arm: random_teacher fine-tuned", "seeds: 2)"),
    ],
    ids=["below", "two seeds that differ", "one seed", "better", "alike with five seeds", "better with two seeds"],
)
def test_fine_tuned_controls_are_judged_in_the_first_line(points: tuple[float, ...], begins: str, named: str):
    results = tuned(random_teacher=points)
    line = report_of(["* heading"], PROBED, results).splitlines()[0]
    assert line.startswith(begins)
    assert "random_teacher fine-tuned with 8% of the labels (" in line
    assert named in line
    assert "shuffled_labels (+" in line, "what fails is told, too"
    assert "No control was fine-tuned" not in line


def test_every_share_and_every_kind_of_control_is_judged_by_itself():
    below, alike = (2.6, -4.0, 0.4, 2.0, 2.1), (13.0, 6.0, 11.0, 12.5, 12.1)
    results = [*tuned(random_teacher=alike, shuffled_regions=below), *tuned(0.4, random_teacher=(12.55, 3.3))]
    line = verdict(PROBED, results)
    like, unclear, rest = line.index("like the real arm"), line.index("With so few seeds"), line.index("Below it")
    assert like < line.index("random_teacher fine-tuned with 8%") < unclear
    assert unclear < line.index("random_teacher fine-tuned with 40%") < rest
    assert rest < line.index("shuffled_regions fine-tuned with 8%")
    probed = verdict([*REAL, scored("random_teacher", 0.6)], tuned(shuffled_regions=below))
    assert probed.startswith("**Controls score like the real arm: random_teacher (")
    assert "Below it, as they must: shuffled_regions fine-tuned" in probed


def test_that_no_control_was_fine_tuned_is_said():
    line = verdict(PROBED, tuned())
    assert line.startswith("Controls score below the real arm, as they must")
    assert line.endswith("No control was fine-tuned.")
    assert "fine-tuned" not in verdict(PROBED)


def test_tables_give_points_with_intervals_by_rooms_and_class():
    lines = probe_table(
        [*REAL, scored("random_teacher", 0.42), *(scored(s, 0.7, rooms=20) for s in ("random", "distilled"))]
    )
    assert [line.split(" | ")[:3] for line in lines[2:7]] == [
        ["| 4", "random", "2"],
        ["| 4", "distilled", "2"],
        ["| 4", "random_teacher", "1"],
        ["| 20", "random", "1"],
        ["| 20", "distilled", "1"],
    ]
    assert lines[5].endswith("| +0.00 [+0.00, +0.00] | +0.00 [+0.00, +0.00] |")
    assert len(class_table(REAL)) == 2 + 11


def test_fine_tuning_is_compared_with_every_other_start_with_an_interval():
    lines = _finetuned([*RESULTS, result("random_teacher", 0.1, 0, 0.12)])
    assert "| 10% | random | 3.00 ± 0.00 | [+3.00, +3.00] |" in lines
    assert "| 10% | random_teacher | 2.00 (1 seed) | [-inf, +inf] |" in lines


def test_what_a_probe_gains_beside_the_floor_stands_apart():
    floor = OCCUPIED_CLASSES.index(SemanticClass.FLOOR)
    random = scored("random", 0.4)
    knowing = {
        name: house.model_copy(
            update={"matched": (*house.matched[:floor], house.true[floor], *house.matched[floor + 1 :])}
        )
        for name, house in random.houses.items()
    }
    line = probe_table([random, random.model_copy(update={"start": "distilled", "houses": knowing})])[2]
    assert "| +6.8" in line, "of an IoU of a quarter the floor rises to one"
    assert line.endswith("| +0.00 [+0.00, +0.00] |")


def test_a_report_holds_what_there_is():
    told = report_of(["* heading"], REAL, [])
    assert told == report_of_probes(["* heading"], REAL)
    tuned = report_of(["* heading"], REAL, RESULTS)
    assert tuned.startswith(told)
    assert "zero-shot" not in tuned
    figures = {"pipeline": {"miou all": 0.1, "iou all": 0.2}}
    assert "| pipeline labels | 10.00 | 20.00 |" in report_of(["* heading"], REAL, RESULTS, (1, figures))


def test_probes_alone_begin_with_their_verdict():
    report = report_of_probes(["* heading"], REAL)
    assert report.startswith("**No control was run**")
    assert "* heading" in report
