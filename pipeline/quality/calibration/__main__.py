"""``python -m pipeline.quality.calibration``: learn again what the signs of a reconstruction say of it.

Clips that were reconstructed before are taken from the folder as long as nothing else changed than this model;
after a change of structure from motion or dense depth, give another folder.
"""

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from pipeline.contract.arrays import Float64s
from pipeline.quality.calibration.collection import collect, collect_real
from pipeline.quality.calibration.fit import Figures, figures, fitted, held_out
from pipeline.quality.calibration.report import (
    WithProbability,
    figures_table,
    reliability_diagram,
    reliability_table,
    signs_table,
)
from pipeline.quality.calibration.samples import JudgedClip
from pipeline.quality.calibration.spoilt import ONCE
from pipeline.stages.reconstruction.colmap.probability import TABLE, learned_settings
from pipeline.stages.reconstruction.colmap.settings import ColmapSettings, SparseSettings, SweepSettings

NEVER_FINE = 9.0
"""Reprojection error, pixels, that no model has which passes the checks."""

REAL = "real"
"""First word of the kind of clips that are judged and not learned from."""


def main(
    folder: Annotated[Path, typer.Option(help="Where clips and samples are kept.")] = Path(".calibration"),
    real: Annotated[Path | None, typer.Option(help="Folder of real clips (.npz) to judge, not to learn from.")] = None,
    width: Annotated[int, typer.Option(help="Width of depth maps; signs hardly depend on it, time does.")] = 160,
    quick: Annotated[
        bool, typer.Option(help="No second try with fine features, which takes most of the time.")
    ] = False,
    write: Annotated[bool, typer.Option(help="Write the table into the package.")] = False,
) -> None:
    """Film, reconstruct, fit, and print what came of it."""
    sparse = SparseSettings(precise=NEVER_FINE) if quick else SparseSettings()
    settings = ColmapSettings(threads=1, sparse=sparse, sweep=SweepSettings(width=width))
    if real is not None:
        collect_real(real, folder, settings, _say)
    samples = collect(folder, settings, _say)
    tours = [sample for sample in samples if not sample.kind.startswith(REAL)]
    others = [sample for sample in samples if sample.kind.startswith(REAL)]
    day = datetime.now(UTC).date()
    fit = partial(fitted, learned=f"{len(tours)} clips, {day}", settings=learned_settings(settings))
    table = fit(tours)
    judged = _judged(tours, held_out(tours, fit))
    if others:
        judged["real"] = others, np.array([table.probability(sample.signs) for sample in others])
    least = settings.trust.min_probability
    found: dict[str, Figures] = {name: figures(*one, least) for name, one in judged.items()}
    diagram = folder / "reliability.svg"
    diagram.write_text(reliability_diagram(judged), encoding="utf-8")
    typer.echo("\n\n".join([figures_table(found), reliability_table(judged), signs_table(tours)]))
    typer.echo(f"\n{table.model_dump_json(indent=1, exclude={'settings'})}\n{diagram}")
    if write:
        TABLE.write_text(f"{table.model_dump_json(indent=1)}\n", encoding="utf-8")


def _judged(samples: list[JudgedClip], probabilities: Float64s) -> dict[str, WithProbability]:
    """Return samples as filmed and as published, and spoilt ones, with their probabilities."""
    plain = np.array([sample.kind in ONCE for sample in samples])
    return {
        name: ([sample for sample, taken in zip(samples, part, strict=True) if taken], probabilities[part])
        for name, part in (("tours", plain), ("spoilt", ~plain))
    }


def _say(task: str, done: float, total: float, note: str = "") -> None:
    typer.echo(f"{task} {done:g} of {total:g}: {note}", err=True)


if __name__ == "__main__":
    typer.run(main)
