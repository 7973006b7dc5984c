"""The table and the plot of the study of distillation."""

import io
from collections.abc import Iterator, Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict

from training.studies.arms import Arm
from training.studies.label_efficiency import FinetunedScore, spread

RANDOM = "random"
"""Start of a student that was not distilled."""
SURFACE = "iou surface from depth"


class StudentScore(BaseModel):
    """One network on the test side, fine-tuned or probed; ``result.start`` is its arm, or random values."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    student: str
    probe: bool
    result: FinetunedScore

    def line(self) -> str:
        """Return the score as a line to follow a study by."""
        way, found = "probed" if self.probe else "fine-tuned", self.result
        miou = 100 * found.figures["miou all"]
        return f"{self.student} from {found.start}, seed {found.seed}, {way}: mIoU {miou:.2f}"


def report_of(heading: Sequence[str], arms: Sequence[Arm], scores: Sequence[StudentScore]) -> str:
    """Return the report: mIoU in points with its deviation over seeds, and the gain over random values of that seed."""
    lines = [
        *heading,
        "",
        "| what changes | arm | student | fine-tuned | gain | linear probe | gain |",
        "|---|---|---|---|---|---|---|",
    ]
    for student in dict.fromkeys(arm.student for arm in arms):
        cells = (spread(_mious(scores, student, RANDOM, probe=probe)) for probe in (False, True))
        lines.append(f"| | random values | {student} | {' | | '.join(cells)} | |")
    lines += [
        f"| {arm.changes(arms[0])} | {arm.name} | {arm.student} | {' | '.join(_cells(arm, scores))} |" for arm in arms
    ]
    surface = 100 * scores[0].result.figures[SURFACE]
    return "\n".join([*lines, "", f"mIoU in points. Beside it, the depth surface alone has IoU {surface:.2f}."]) + "\n"


def gains(scores: Sequence[StudentScore], arm: Arm, *, probe: bool) -> list[float]:
    """Return by how much an arm's mIoU is above that of random values, seed by seed, in [0, 1]."""
    distilled, random = (_mious(scores, arm.student, start, probe=probe) for start in (arm.name, RANDOM))
    return [ours - theirs for ours, theirs in zip(distilled, random, strict=True)]


def plot(arms: Sequence[Arm], scores: Sequence[StudentScore]) -> bytes:
    """Return the gains as bars, fine-tuned and probed beside one another, with deviations over seeds, as a PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 0.5 + 0.45 * len(arms)), layout="constrained")
    axes = figure.subplots()
    for offset, probe, title in ((-0.2, False, "fine-tuned"), (0.2, True, "linear probe")):
        points = [100 * np.array(gains(scores, arm, probe=probe)) for arm in arms]
        deviations = [values.std(ddof=1) if len(values) > 1 else 0.0 for values in points]
        means, places = [values.mean() for values in points], np.arange(len(arms)) + offset
        axes.barh(places, means, 0.38, xerr=deviations, capsize=3, label=title)
    axes.set_yticks(range(len(arms)), [arm.name.replace("_", " ") for arm in arms])
    axes.invert_yaxis()
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_xlabel("gain over random values, points of mIoU")
    axes.legend(fontsize="small")
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=90)
    return content.getvalue()


def _cells(arm: Arm, scores: Sequence[StudentScore]) -> Iterator[str]:
    for probe in (False, True):
        yield spread(_mious(scores, arm.student, arm.name, probe=probe))
        yield spread(gains(scores, arm, probe=probe))


def _mious(scores: Sequence[StudentScore], student: str, start: str, *, probe: bool) -> list[float]:
    """Return the mIoU of every seed, in the order of seeds."""
    found = {
        score.result.seed: score.result.figures["miou all"]
        for score in scores
        if (score.student, score.result.start, score.probe) == (student, start, probe)
    }
    return [found[seed] for seed in sorted(found)]
