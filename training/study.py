"""Label efficiency: one network from different starts, fine-tuned with shares of the labels, several seeds each."""

import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from training.checkpoints import load_network
from training.data import Frames
from training.runs import Progress, evaluate, finetune, silent
from training.settings import FinetuneSettings


class Result(BaseModel):
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


def label_efficiency(
    study: Study,
    train: Frames,
    test: Frames,
    starts: Mapping[str, Path | None],
    folder: Path,
    progress: Callable[[str], Progress] = lambda _: silent,
) -> Iterator[Result]:
    """Fine-tune and score every combination; yields each as it is done. What is done in ``folder`` is not done again.

    starts: pre-trained networks by name, None for random values. The labels used depend on the seed, not on the start.
    """
    for seed, share, (start, pretrained) in product(study.seeds, study.shares, starts.items()):
        settings = study.finetune.model_copy(
            update={
                "label_share": share,
                "label_seed": seed,
                "loop": study.finetune.loop.model_copy(update={"seed": seed}),
            }
        )
        name = f"{start}-{round(100 * share)}-{seed}"
        made = finetune(train, study.preset, pretrained, settings, folder / name, progress(name))
        key = json.dumps([made.model_dump(mode="json"), test.origin], sort_keys=True)
        known = _known(folder / name, key)
        if known is None:
            scores = evaluate(load_network(folder / name), test, name, progress(f"{name} test"))
            known = Result(start=start, share=share, seed=seed, figures=scores.summary())
            (folder / name / "scores.md").write_text(scores.markdown())
            (folder / name / "result.json").write_text(json.dumps({"of": key, "result": known.model_dump()}))
        yield known


def table(results: Sequence[Result]) -> str:
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
    """Return mean and sample deviation of values in [0, 1], in points; the number of values where there is only one."""
    points = 100 * np.array(values)
    return f"{points.mean():.2f} ± {points.std(ddof=1):.2f}" if len(points) > 1 else f"{points.mean():.2f} (1 seed)"


def plot(results: Sequence[Result]) -> bytes:
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


def _known(folder: Path, key: str) -> Result | None:
    try:
        stored = json.loads((folder / "result.json").read_text())
        return Result.model_validate(stored["result"]) if stored["of"] == key else None
    except (OSError, ValueError, KeyError, ValidationError):
        return None
