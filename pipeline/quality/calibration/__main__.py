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
from pipeline.quality.calibration.collection import collect
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
from pipeline.quality.calibration.stored import EASY, HARD, REAL, collect_real, collect_tours
from pipeline.stages.reconstruction.colmap.probability import TABLE, learned_settings
from pipeline.stages.reconstruction.colmap.settings import ColmapSettings, SparseSettings, SweepSettings

NEVER_FINE = 9.0
"""Reprojection error, pixels, that no model has which passes the checks."""


def main(
    folder: Annotated[Path, typer.Option(help="Where clips and samples are kept.")] = Path(".calibration"),
    real: Annotated[
        Path | None, typer.Option(help="Data folder of built real footage (RULERS/real), to judge, not to learn from.")
    ] = None,
    truth: Annotated[Path, typer.Option(help="Folder of real footage with its truth, as of `--suite real`.")] = Path(),
    tours: Annotated[
        list[Path] | None,
        typer.Option(help="Data folders of built tours, easy or hard, to learn from too, as they are filmed and cut."),
    ] = None,
    width: Annotated[int, typer.Option(help="Width of depth maps; signs hardly depend on it, time does.")] = 160,
    quick: Annotated[
        bool, typer.Option(help="No second try with fine features, which takes most of the time.")
    ] = False,
    write: Annotated[bool, typer.Option(help="Write the table into the package.")] = False,
) -> None:
    """Film, reconstruct, fit, and print what came of it."""
    sparse = SparseSettings(precise=NEVER_FINE) if quick else SparseSettings()
    settings = ColmapSettings(threads=1, sparse=sparse, sweep=SweepSettings(width=width))
    samples = collect(folder, settings, _say)
    built = [sample for data in tours or () for sample in collect_tours(data, folder, settings, _say)]
    others = list(collect_real(real, truth, folder, settings, _say)) if real is not None else []
    learned_from = samples + built
    day = datetime.now(UTC).date()
    fit = partial(fitted, learned=f"{len(learned_from)} models, {day}", settings=learned_settings(settings))
    table = fit(learned_from)
    judged = _judged(learned_from, held_out(learned_from, fit))
    if others:
        judged[REAL] = others, np.array([table.probability(sample.signs) for sample in others])
    least = settings.trust.min_probability
    found: dict[str, Figures] = {name: figures(*one, least) for name, one in judged.items()}
    diagram = folder / "reliability.svg"
    diagram.write_text(reliability_diagram(judged), encoding="utf-8")
    typer.echo("\n\n".join([figures_table(found), reliability_table(judged), signs_table(learned_from)]))
    typer.echo(f"\n{table.model_dump_json(indent=1, exclude={'settings'})}\n{diagram}")
    if write:
        TABLE.write_text(f"{table.model_dump_json(indent=1)}\n", encoding="utf-8")


def _judged(samples: list[JudgedClip], probabilities: Float64s) -> dict[str, WithProbability]:
    """Return samples as filmed and as published, spoilt ones, and those of easy and hard tours, each with its P."""
    parts = np.array([_part(sample) for sample in samples])
    return {
        str(name): (
            [sample for sample, part in zip(samples, parts, strict=True) if part == name],
            probabilities[parts == name],
        )
        for name in dict.fromkeys(parts.tolist())
    }


def _part(sample: JudgedClip) -> str:
    if sample.kind in ONCE:
        return "houses"
    return f"{sample.kind} tours" if sample.kind in (EASY, HARD) else "houses, spoilt"


def _say(task: str, done: float, total: float, note: str = "") -> None:
    typer.echo(f"{task} {done:g} of {total:g}: {note}", err=True)


if __name__ == "__main__":
    typer.run(main)
