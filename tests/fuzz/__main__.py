"""``python -m tests.fuzz``: see ``--help``."""

import json
import os
import platform
import sys
import time
import warnings
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated

import typer

from tests.fuzz.everything import READERS
from tests.fuzz.report import as_json, line, table
from tests.fuzz.worker import Tally, run


def main(
    inputs: Annotated[int, typer.Option(min=1, help="Inputs in all; each reader gets its share.")] = 1_000_000,
    first: Annotated[int, typer.Option(help="The first seed of every reader.")] = 0,
    only: Annotated[list[str] | None, typer.Option(help="Names of readers; may be given again.")] = None,
    seed: Annotated[int | None, typer.Option(help="Try this one input alone.")] = None,
    processes: Annotated[int, typer.Option(min=1, max=2, help="Readers tried at once.")] = 1,
    out: Annotated[Path | None, typer.Option(help="File for the report, JSON.")] = None,
) -> None:
    """Give every reader of something from outside inputs that were true ones, and were changed at random.

    A reader gives what it read, or an error that says what is wrong and what to do. Anything else is a violation:
    another error, a file written or deleted elsewhere, a process started, a host asked, work or memory without end,
    the death of the process. A reader's name and one integer say which input: --only feeds --seed 17 tries it again.
    """
    warnings.simplefilter("ignore")
    begun, clock = datetime.now(UTC), time.monotonic()
    shares, begin = _shares(only or [], inputs), first
    if seed is not None:
        shares, begin = dict.fromkeys(shares, 1), seed
    tallies = _all_of([(name, range(begin, begin + count)) for name, count in shares.items()], processes)
    described = {
        "begun": begun.isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - clock, 1),
        "command": " ".join(["python -m tests.fuzz", *sys.argv[1:]]),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
    }
    if out is not None:
        out.write_text(json.dumps(as_json(tallies, described), indent=1) + "\n")
    typer.echo(table(tallies))
    raise typer.Exit(int(any(tally.violations for tally in tallies)))


def _shares(only: Sequence[str], inputs: int) -> dict[str, int]:
    """Return how many inputs each reader gets, by its name."""
    strange = {*only} - {*READERS}
    if strange:
        raise typer.BadParameter(f"there is no reader {min(strange)!r}; there are: {', '.join(READERS)}")
    weights = {name: reader.weight for name, reader in READERS.items() if not only or name in only}
    return {name: max(1, round(inputs * weight / sum(weights.values()))) for name, weight in weights.items()}


def _all_of(work: Sequence[tuple[str, range]], processes: int) -> list[Tally]:
    if processes == 1:
        return [_tally(*one) for one in work]
    with ProcessPoolExecutor(processes, mp_context=get_context("fork")) as pool:
        return list(pool.map(_tally, *zip(*work, strict=True)))


def _tally(name: str, seeds: range) -> Tally:
    begun = time.monotonic()

    def passed() -> float:
        return time.monotonic() - begun

    found = run(READERS[name], seeds, lambda tally: _show(line(tally, len(seeds), passed()), "\r"))
    _show(line(found, len(seeds), passed()), "\n")
    for seed, why in found.violations[:20]:
        _show(f"  --only {name} --seed {seed}: {why}", "\n")
    return found


def _show(text: str, end: str) -> None:
    if sys.stderr.isatty() or end == "\n":
        sys.stderr.write(text + end)
        sys.stderr.flush()


if __name__ == "__main__":
    app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
    app.command()(main)
    app()
