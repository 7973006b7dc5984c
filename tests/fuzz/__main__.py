"""``python -m tests.fuzz``: see ``--help``."""

import json
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

from tests.fuzz.run import Outcome, run
from tests.fuzz.targets import targets


def main(
    inputs: Annotated[int, typer.Option(min=1, help="Inputs in all; each target gets its share.")] = 1_000_000,
    first: Annotated[int, typer.Option(help="The first seed; a seed makes an input again.")] = 0,
    only: Annotated[list[str] | None, typer.Option(help="Names of targets, or the beginnings of names.")] = None,
    out: Annotated[Path | None, typer.Option(help="File for the report, JSON.")] = None,
) -> None:
    """Give every reader of something from outside inputs that were true ones, and were changed at random.

    A reader gives what it read, or an error that says what is wrong. Anything else is a violation: another error, a
    crash, a hang, more than 3 GB of memory, a file that changed. To see one again: --only NAME --first SEED --inputs 1.
    """
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        folder = Path(name)
        chosen = [t for t in targets(folder) if not only or t.name.startswith(tuple(only))]
        shares, outcomes, done, started = sum(t.share for t in chosen), list[Outcome](), 0, time.monotonic()
        for target in chosen:
            count = max(1, inputs * target.share // shares)
            outcomes.append(run(target, range(first, first + count), folder))
            done += count
            left = (time.monotonic() - started) / done * (inputs - done) / 60
            found = outcomes[-1]
            typer.echo(
                f"{found.name}: {found.inputs} inputs, {found.inputs / found.seconds:.0f}/s, {len(found.violations)} "
                f"wrong {list(found.violations.items())[:3]}; {left:.0f} min left"
            )
    report = [vars(outcome) for outcome in outcomes]
    if out is not None:
        out.write_text(json.dumps(report, indent=1) + "\n")
    wrong = sum(len(outcome.violations) for outcome in outcomes)
    typer.echo(f"{sum(outcome.inputs for outcome in outcomes)} inputs, {wrong} violations")
    raise typer.Exit(1 if wrong else 0)


if __name__ == "__main__":
    app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
    app.command()(main)
    app()
