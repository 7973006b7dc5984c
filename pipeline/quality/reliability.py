"""Whether stored probabilities keep their word: of clips that are right with 0.9, nine in ten should be."""

from collections.abc import Sequence
from itertools import pairwise

from pipeline.quality.figure import Figure
from pipeline.quality.scores import RIGHT_DEGREES, RIGHT_DEPTH, ClipErrors

BOUNDS = (0.0, 0.5, 0.8, 0.9, 1.0)
STAGE = "reconstruction"


def reliability(clips: Sequence[ClipErrors]) -> list[Figure]:
    """Return how many clips are right by what probability they were given, and how far both lie apart.

    Bins without a clip have no figure. Clips whose probability was too low for the dataset are not among those scored.
    """
    told = [(clip.probability_right, clip.right) for clip in clips if clip.probability_right is not None]
    figures = []
    for low, high in pairwise(BOUNDS):
        inside = [(p, right) for p, right in told if low <= p < high or p == high == BOUNDS[-1]]
        if inside:
            right, mean = sum(right for _, right in inside), sum(p for p, _ in inside) / len(inside)
            says = f"{right} of {len(inside)} clips, which were given {mean:.2f}"
            figures.append(Figure(STAGE, f"right where P is {low:g} to {high:g}", right / len(inside), says))
    if told:
        brier = sum((p - right) ** 2 for p, right in told) / len(told)
        rule = f"{len(told)} clips; right: {RIGHT_DEGREES:g} degrees and AbsRel {RIGHT_DEPTH:g}"
        figures.append(Figure(STAGE, "Brier score of P", brier, rule))
    return figures
