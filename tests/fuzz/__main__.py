"""Puts changed inputs to every parser of the program and counts what comes of it.

One integer and the name of a target say exactly which input: ``python -m tests.fuzz --target feeds --seed 17`` tries
that one alone, and ``--show`` prints it. Violations are errors without a type that a caller can act on, files written
or deleted elsewhere, hosts called, processes started, memory or work without end, and the death of the process.
"""

import argparse
import json
import os
import platform
import sys
import time
import warnings
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from tests.fuzz.everything import TARGETS
from tests.fuzz.report import as_json, line, table
from tests.fuzz.worker import Tally, run


def main() -> int:
    """Run what the command line asks for; 1 where a violation was found."""
    chosen = _arguments().parse_args()
    warnings.simplefilter("ignore")
    names = chosen.target or list(TARGETS)
    begun, clock = datetime.now(UTC), time.monotonic()
    if chosen.seed is not None:
        work = {name: range(chosen.seed, chosen.seed + 1) for name in names}
    else:
        work = shares(chosen.inputs, names, chosen.first)
    tallies = _all_of(work, chosen.processes, clock)
    described = {
        "begun": begun.isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - clock, 1),
        "command": " ".join(["python -m tests.fuzz", *sys.argv[1:]]),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
    }
    if chosen.out:
        chosen.out.write_text(json.dumps(as_json(tallies, described), indent=1) + "\n")
    print(table(tallies))  # noqa: T201 - its purpose
    return int(any(tally.violations for tally in tallies))


def shares(inputs: int, names: Sequence[str], first: int = 0) -> dict[str, range]:
    """Return which seeds each target gets, by weight; at least one each."""
    whole = sum(TARGETS[name].weight for name in names)
    return {name: range(first, first + max(1, round(inputs * TARGETS[name].weight / whole))) for name in names}


def _all_of(work: dict[str, range], processes: int, clock: float) -> list[Tally]:
    if processes == 1:
        return [_one(name, seeds) for name, seeds in work.items()]
    with ProcessPoolExecutor(min(processes, 2)) as pool:
        return list(pool.map(_one, work, work.values()))


def _one(name: str, seeds: range) -> Tally:
    begun = time.monotonic()
    found = run(TARGETS[name], seeds, lambda tally: _show(line(tally, len(seeds), time.monotonic() - begun), "\r"))
    _show(line(found, len(seeds), time.monotonic() - begun), "\n")
    for seed, why in found.violations[:20]:
        _show(f"  {name}:{seed} {why}", "\n")
    return found


def _show(text: str, end: str) -> None:
    if sys.stderr.isatty() or end == "\n":
        sys.stderr.write(text + end)
        sys.stderr.flush()


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=20_000, help="inputs over all targets, shared out by weight")
    parser.add_argument("--first", type=int, default=0, help="first seed of every target")
    parser.add_argument("--target", action="append", choices=list(TARGETS), help="only this one; may be given again")
    parser.add_argument("--seed", type=int, help="try this one input")
    parser.add_argument("--processes", type=int, default=1, choices=(1, 2))
    parser.add_argument("--out", type=Path, help="JSON with counts, outcomes, violations and their seeds")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
