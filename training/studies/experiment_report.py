"""The report of the experiment: whether its controls fail, probes with intervals, then fine-tuning, then zero-shot."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.contract.classes import OCCUPIED_CLASSES
from training.probes.scores import BESIDE_FLOOR, Interval, ProbeScore, class_intervals, gain_interval, miou_interval
from training.studies.label_efficiency import FinetunedScore, gains_of, spread, table
from training.studies.power import t_interval
from training.studies.starts import DISTILLED, RANDOM

BASELINES = ("iou all in view occupied", "iou surface from depth")


def report_of(
    heading: Sequence[str],
    probes: Sequence[ProbeScore],
    results: Sequence[FinetunedScore],
    zero_shot: tuple[int, Mapping[str, Mapping[str, float]]] | None = None,
) -> str:
    """Return the report as Markdown; its first line says whether a control scores like the real arm.

    results, zero_shot: as far as there are any; the latter with how many frames were trained on.
    """
    parts = [_finetuned(results)] if results else []
    parts += [list(_zero_shot(*zero_shot))] if zero_shot else []
    return report_of_probes(heading, probes, results) + "".join("\n" + "\n".join(part) + "\n" for part in parts)


def report_of_probes(
    heading: Sequence[str], probes: Sequence[ProbeScore], results: Sequence[FinetunedScore] = ()
) -> str:
    """Return what probes tell, as Markdown: of the seeds that are done; its first line judges ``results``, too."""
    parts = [[verdict(probes, results)], heading, probe_table(probes), class_table(probes)]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


@dataclass(frozen=True)
class Compared:
    """A control beside the distilled start. told: its name and the gain over it, in words.

    is_alike: it scores like the real arm. is_below: it certainly scores below; where neither is so, nobody can tell.
    """

    told: str
    is_alike: bool
    is_below: bool


def verdict(probes: Sequence[ProbeScore], results: Sequence[FinetunedScore] = ()) -> str:
    """Return in a line which controls score like the distilled start, probed and fine-tuned, and its gain over random.

    A probed control does where the interval of the gain over it holds 0; a fine-tuned one where the mean gain is
    nothing, or where the interval holds 0 and not the gain over random values. An interval that holds both is of too
    few seeds to tell.
    """
    tuned = list(_finetuned_controls(results))
    controls = [*_probed_controls(probes), *tuned]
    if not controls:
        nothing = "**No control was run**: what follows does not show what distillation is worth."
        return " ".join([nothing, *_over_random(probes)])
    alike, below = (
        _told(control for control in controls if getattr(control, kind)) for kind in ("is_alike", "is_below")
    )
    unclear = _told(control for control in controls if not (control.is_alike or control.is_below))
    ends = [f"Below it, as they must: {below}."] if below and (alike or unclear) else []
    ends += ["No control was fine-tuned."] if results and not tuned else []
    open_question = [f"With so few seeds these cannot be told from it: {unclear}."] if unclear else []
    if alike:
        said = f"**Controls score like the real arm: {alike}.** The gain of distilled over them holds nothing"
        ends = [f"{said}; what follows does not show what distillation is worth.", *open_question, *ends]
    elif unclear:
        ends = [f"**Not all controls can be told from the real arm with so few seeds: {unclear}.**", *ends]
    else:
        said = "Controls score below the real arm, as they must; the gain of distilled over them"
        ends = [f"{said}: {below}.", *ends]
    return " ".join([ends[0], *_over_random(probes), *ends[1:]])


def _over_random(probes: Sequence[ProbeScore]) -> list[str]:
    """Return what distilled has over random values with the most labels, as a sentence; none where one is missing."""
    ours, theirs = ({score.rooms for score in probes if score.start == start} for start in (DISTILLED, RANDOM))
    shared = ours & theirs
    if not shared:
        return []
    most = max(shared)
    gain = gain_interval(_of(probes, DISTILLED, most), _of(probes, RANDOM, most))
    told = f"{gain.points('+')} with {most} labelled rooms"
    return [f"Over random values: {told}."] if gain.low > 0 else [f"**It shows no gain over random values**: {told}."]


def _told(controls: Iterable[Compared]) -> str:
    return ", ".join(control.told for control in controls)


def probe_table(probes: Sequence[ProbeScore]) -> list[str]:
    """Return a table of mIoU on visible voxels and of the gain of distilled over every start, by labelled rooms."""
    head = "| linear probe, labelled rooms | start | seeds | mIoU | gain of distilled | of ten classes, without floor |"
    lines = [head, "|---" * 6 + "|"]
    for rooms in sorted({score.rooms for score in probes}):
        ours = _of(probes, DISTILLED, rooms)
        for start in dict.fromkeys(score.start for score in probes):
            theirs = _of(probes, start, rooms)
            if theirs:
                gains = " | " if start == DISTILLED else " | ".join(_gains(ours, theirs))
                lines.append(f"| {rooms} | {start} | {len(theirs)} | {miou_interval(theirs).points()} | {gains} |")
    return [*lines, "", "Points on visible voxels; in brackets 95 % intervals, houses and seeds drawn again."]


def _gains(ours: Sequence[ProbeScore], theirs: Sequence[ProbeScore]) -> Iterator[str]:
    """Yield the gain over all classes, and over those beside the floor."""
    for classes in (OCCUPIED_CLASSES, BESIDE_FLOOR):
        yield gain_interval(ours, theirs, classes).points("+")


def class_table(probes: Sequence[ProbeScore]) -> list[str]:
    """Return a table of the IoU of every class with the most labels, random start beside distilled."""
    most = max(score.rooms for score in probes)
    sides = [class_intervals(_of(probes, start, most)) for start in (RANDOM, DISTILLED)]
    lines = [f"| linear probe, {most} rooms | {RANDOM}: IoU | {DISTILLED}: IoU |", "|---|---|---|"]
    return lines + [f"| {name} | {found.points()} | {sides[1][name].points()} |" for name, found in sides[0].items()]


def _probed_controls(probes: Sequence[ProbeScore]) -> Iterator[Compared]:
    """Yield every control that was probed, with all labels that it was given."""
    for control in _controls(probes):
        most = max(score.rooms for score in probes if score.start == control)
        gain = gain_interval(_of(probes, DISTILLED, most), _of(probes, control, most))
        yield Compared(f"{control} ({gain.points('+')})", is_alike=gain.low <= 0, is_below=gain.low > 0)


def _finetuned_controls(results: Sequence[FinetunedScore]) -> Iterator[Compared]:
    """Yield every control that was fine-tuned, by share of the labels."""
    over_random = {share: float(np.mean(values)) for share, values in gains_of(results, RANDOM).items()}
    for control in _controls(results):
        for share, values in gains_of(results, control).items():
            (low, high), mean = t_interval(values), float(np.mean(values))
            told = f"{control} fine-tuned with {share:.0%} of the labels ({_points(values)}, seeds: {len(values)})"
            is_alike = mean <= 0 or (low <= 0 and high < over_random.get(share, 0))
            yield Compared(told, is_alike=is_alike, is_below=low > 0)


def _controls(scores: Sequence[ProbeScore] | Sequence[FinetunedScore]) -> list[str]:
    return list(dict.fromkeys(score.start for score in scores if score.start not in (RANDOM, DISTILLED)))


def _points(values: Sequence[float]) -> str:
    """Return the mean of gains with the bounds of Student's t, in points."""
    low, high = t_interval(values)
    return Interval(float(np.mean(values)), low, high).points("+")


def _of(probes: Sequence[ProbeScore], start: str, rooms: int) -> list[ProbeScore]:
    return [score for score in probes if (score.start, score.rooms) == (start, rooms)]


def _finetuned(results: Sequence[FinetunedScore]) -> list[str]:
    """Return mIoU by share and start with IoU of baselines, then what distilled has over others, paired by seed."""
    known = [f"{name.removeprefix('iou ')} {100 * value:.2f}" for name, value in _baselines(results[0])]
    lines = [table(results), "", *([f"IoU of baselines: {', '.join(known)}.", ""] if known else [])]
    lines += ["| labels | start | gain of distilled, mIoU | 95 % |", "|---|---|---|---|"]
    for start in dict.fromkeys(result.start for result in results if result.start != DISTILLED):
        for share, values in gains_of(results, start).items():
            low, high = (f"{100 * bound:+.2f}" for bound in t_interval(values))
            lines.append(f"| {share:.0%} | {start} | {spread(values)} | [{low}, {high}] |")
    return lines


def _baselines(result: FinetunedScore) -> Iterator[tuple[str, float]]:
    for name, value in result.figures.items():
        if name in BASELINES:
            yield name, value


def _zero_shot(relabelled: int, figures: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    yield f"| zero-shot, trained on {relabelled} frames | mIoU | IoU |"
    yield "|---|---|---|"
    for kind, found in figures.items():
        yield f"| {kind} labels | {100 * found['miou all']:.2f} | {100 * found['iou all']:.2f} |"
