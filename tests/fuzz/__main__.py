"""``python -m tests.fuzz``: see ``--help``."""

import json
import os
import platform
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from itertools import starmap
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated

import typer

from tests.fuzz.everything import READERS
from tests.fuzz.report import as_json, line, table
from tests.fuzz.run import run as run_target
from tests.fuzz.targets import Target, targets
from tests.fuzz.worker import Tally, run


def main(
    inputs: Annotated[int, typer.Option(min=1, help="Inputs in all; each reader gets its share.")] = 1_000_000,
    first: Annotated[int, typer.Option(help="The first seed of every reader.")] = 0,
    only: Annotated[list[str] | None, typer.Option(help="Names of readers; may be given again.")] = None,
    seed: Annotated[int | None, typer.Option(help="Try this one input alone.")] = None,
    of_datasets: Annotated[float, typer.Option(min=0, max=1, help="Share for readers of a whole dataset.")] = 0.1,
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
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        one = (seed, 1) if seed is not None else None
        tallies = _all_of(list(_work(only or [], inputs, of_datasets, Path(name), one or (first, 0))), processes)
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


Run = tuple[Callable[..., Tally], tuple[object, ...]]


def _work(only: list[str], inputs: int, whole: float, folder: Path, begin: tuple[int, int]) -> Iterator[Run]:
    """Yield what is to be run: for each reader its seeds; ``begin``: the first, and how many instead of its share."""
    first, count = begin
    readers = [reader for reader in READERS.values() if not only or reader.name in only]
    others = list(targets(folder)) if {*only} - {*READERS} or (whole and not only) else []
    others = [target for target in others if not only or target.name in only]
    if {*only} - {thing.name for thing in (*readers, *others)}:
        raise typer.BadParameter(f"no such reader; there are: {', '.join([*READERS, *(t.name for t in others)])}")
    of_datasets = 0.0 if not others else 1.0 if not readers else whole
    for reader in readers:
        share = (1 - of_datasets) * reader.weight / sum(other.weight for other in readers)
        yield _of_reader, (reader.name, range(first, first + (count or max(1, round(inputs * share)))))
    for target in others:
        share = of_datasets * target.share / sum(other.share for other in others)
        yield _of_target, (target, range(first, first + (count or max(1, round(inputs * share)))), folder)


def _all_of(work: list[Run], processes: int) -> list[Tally]:
    if processes == 1:
        return list(starmap(_done, work))
    with ProcessPoolExecutor(processes, mp_context=get_context("fork")) as pool:
        return list(pool.map(_done, *zip(*work, strict=True)))


def _done(call: Callable[..., Tally], arguments: tuple[object, ...]) -> Tally:
    begun = time.monotonic()
    found = call(*arguments)
    _show(line(found, found.inputs, time.monotonic() - begun), "\n")
    for seed, why in found.violations[:20]:
        _show(f"  --only {found.target!r} --seed {seed}: {why}", "\n")
    return found


def _of_reader(name: str, seeds: range) -> Tally:
    begun = time.monotonic()
    return run(READERS[name], seeds, lambda tally: _show(line(tally, len(seeds), time.monotonic() - begun), "\r"))


def _of_target(target: Target, seeds: range, folder: Path) -> Tally:
    found = run_target(target, seeds, folder)
    tally = Tally(found.name, found.inputs, found.answers, list(found.violations.items()), seconds=found.seconds)
    tally.outcomes["accepted"] = tally.outcomes.pop("read", 0)
    return tally


def _show(text: str, end: str) -> None:
    if sys.stderr.isatty() or end == "\n":
        sys.stderr.write(text + end)
        sys.stderr.flush()


if __name__ == "__main__":
    app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
    app.command()(main)
    app()
