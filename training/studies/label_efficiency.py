"""Label efficiency: one network from different starts, fine-tuned with shares of the labels, several seeds each."""

import io
import json
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, TypeAdapter

from models.json_text import parsed_json
from pipeline.contract.progress import Progress, named, silent
from training.checkpoints import NetworkDescription, load_network
from training.data import Frames
from training.data.content import content_of
from training.runs import finetune
from training.scores.evaluate import evaluate
from training.settings import FinetuneSettings, LoopSettings

OTHERS_WAIT_S = 1.0
_FIGURES = TypeAdapter(dict[str, float])


class FinetunedScore(BaseModel):
    """One fine-tuned network on the test side: figures as in ``Evaluation.summary``, in [0, 1]."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: str
    share: float
    seed: int
    figures: dict[str, float]


class Study(BaseModel):
    """What to compare."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    preset: str = "small"
    shares: tuple[float, ...] = (0.1, 0.2, 0.5, 1.0)
    seeds: tuple[int, ...] = (0, 1, 2)
    finetune: FinetuneSettings = FinetuneSettings()

    def of(self, seed: int, share: float) -> FinetuneSettings:
        """Return the settings of one network: start values, order and choice of samples all follow the seed."""
        loop = self.finetune.loop.model_copy(update={"seed": seed})
        return self.finetune.model_copy(update={"label_share": share, "label_seed": seed, "loop": loop})


def label_efficiency(
    study: Study,
    train: Frames,
    test: Frames,
    starts: Mapping[str, Path | None],
    folder: Path,
    progress: Progress = silent,
    validation: Frames | None = None,
) -> Iterator[FinetunedScore]:
    """Fine-tune and score every combination; yields each as it is done. What is done in ``folder`` is not done again.

    starts: pre-trained networks by name, None for random values. The labels used depend on the seed, not on the start.
    validation: as in ``finetune``.
    Several processes may work in one folder: each takes a combination that no other is at.
    """
    folder.mkdir(parents=True, exist_ok=True)
    waiting = deque(product(study.seeds, study.shares, starts.items()))
    while waiting:
        seed, share, (start, pretrained) = waiting.popleft()
        name = network_name(start, share, seed)
        try:
            with FileLock(folder / f"{name}.lock", timeout=OTHERS_WAIT_S):
                settings, said = study.of(seed, share), named(progress, name)
                made = finetune(train, study.preset, pretrained, settings, folder / name, said, validation)
                figures = _scored(made, test, folder / name, named(progress, f"{name} test"))
        except Timeout:
            waiting.append((seed, share, (start, pretrained)))
        else:
            yield FinetunedScore(start=start, share=share, seed=seed, figures=figures)


def network_name(start: str, share: float, seed: int) -> str:
    """Return the name of a combination's network, under which it lies in the study's folder."""
    return f"{start}-{100 * share:g}-{seed}"


def _scored(made: NetworkDescription, test: Frames, folder: Path, progress: Progress) -> dict[str, float]:
    """Return the figures of a fine-tuned network, from its folder if they are known."""
    key = json.dumps([made.model_dump(mode="json"), content_of(test)], sort_keys=True)
    known = _known(folder, key)
    if known is not None:
        return known
    scores = evaluate(load_network(folder), test, folder.name, progress)
    (folder / "scores.md").write_text(scores.markdown())
    (folder / "result.json").write_text(json.dumps({"of": key, "figures": scores.summary()}))
    return scores.summary()


def length(loop: LoopSettings) -> str:
    """Return how long a training is, in words."""
    amount = f"{loop.epochs} epochs" if loop.steps is None else f"{loop.steps} steps"
    stopped = "" if loop.patience is None else "up to "
    return f"{stopped}{amount} of {loop.batch_size * loop.accumulate}"


def gains_of(results: Sequence[FinetunedScore], over: str = "random") -> dict[float, list[float]]:
    """Return, by share of labels, how much distillation adds to mIoU for each seed that both have, in [0, 1]."""
    found = {(r.start, r.share, r.seed): r.figures["miou all"] for r in results}
    gains: dict[float, list[float]] = {}
    for start, share, seed in sorted(found):
        if start == over and ("distilled", share, seed) in found:
            gains.setdefault(share, []).append(found["distilled", share, seed] - found[over, share, seed])
    return gains


def table(results: Sequence[FinetunedScore]) -> str:
    """Return mean and deviation over seeds, in points, by share and start, as Markdown."""
    starts = list(dict.fromkeys(result.start for result in results))
    lines = ["| labels | " + " | ".join(f"{start}: mIoU | {start}: IoU" for start in starts) + " |"]
    lines.append("|---" * (1 + 2 * len(starts)) + "|")
    for share in sorted({result.share for result in results}):
        cells = [
            spread([r.figures[figure] for r in results if (r.start, r.share) == (start, share)])
            for start in starts
            for figure in ("miou all", "iou all")
        ]
        lines.append(f"| {share:.0%} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def spread(values: Sequence[float]) -> str:
    """Return mean and sample deviation of values in [0, 1], in points; without a deviation where there is only one."""
    if not values:
        return ""
    points = 100 * np.array(values)
    return f"{points.mean():.2f} ± {points.std(ddof=1):.2f}" if len(points) > 1 else f"{points.mean():.2f} (1 seed)"


def plot(results: Sequence[FinetunedScore]) -> bytes:
    """Return mIoU over the share of labels, a line a start with its deviation over seeds, as a PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3.6), layout="constrained")
    axes = figure.subplots()
    shares = sorted({result.share for result in results})
    for start in dict.fromkeys(result.start for result in results):
        values = [
            100 * np.array([r.figures["miou all"] for r in results if (r.start, r.share) == (start, share)])
            for share in shares
        ]
        means, deviations = [v.mean() for v in values], [v.std(ddof=1) if len(v) > 1 else 0 for v in values]
        axes.errorbar([100 * share for share in shares], means, deviations, marker="o", capsize=3, label=start)
    axes.set_xlabel("labels used, %")
    axes.set_ylabel("mIoU, points")
    axes.set_xscale("log")
    axes.set_xticks([100 * share for share in shares], [f"{share:.0%}" for share in shares])
    axes.legend()
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=90)
    return content.getvalue()


def _known(folder: Path, key: str) -> dict[str, float] | None:
    try:
        stored = parsed_json((folder / "result.json").read_text())
        return _FIGURES.validate_python(stored["figures"]) if stored["of"] == key else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
