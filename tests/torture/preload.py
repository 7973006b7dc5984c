"""Builds the library that is preloaded into the campaign's processes, and tells it what to do in each of them."""

import ctypes
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from enum import IntFlag
from pathlib import Path

SOURCE = Path(__file__).with_name("shim.c")
LIBRARY_VARIABLE = "TORTURE_LIBRARY"
BEGIN_VARIABLE = "TORTURE_BEGIN"


class Calls(IntFlag):
    """Kinds of calls that can be made to fail, as in ``shim.c``."""

    OPEN = 1
    READ = 2
    WRITE = 4
    NAME = 8
    SYNC = 16
    LOOK = 32


@dataclass(frozen=True)
class Failing:
    """Which calls end with an error: of these kinds, ``count`` of them from the ``first``-th on.

    shorten: they do not fail, but write half of what was asked for.
    """

    calls: Calls
    error: int
    first: int
    count: int
    shorten: bool = False


NOTHING = Failing(Calls(0), 0, 0, 0)


def build(folder: Path) -> Path:
    """Compile the library; raises ``SystemExit`` where there is no C compiler."""
    library = folder / "torture.so"
    try:
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, SOURCE, "-ldl", "-lpthread"], check=True)
    except FileNotFoundError:
        raise SystemExit("the campaign compiles a small library: install a C compiler (apt install gcc)") from None
    return library


def restart_with(library: Path) -> None:
    """Replace this process by itself with the library preloaded."""
    environment = {**os.environ, "LD_PRELOAD": str(library), LIBRARY_VARIABLE: str(library), "OMP_NUM_THREADS": "1"}
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)  # noqa: S606


def begin(root: Path, failing: Failing, journal: Path | None, shadow: Path) -> None:
    """Let calls on files below ``root`` fail from now on, in this process, and keep a journal where one is named."""
    library = ctypes.CDLL(None)
    library.torture_begin(
        os.fsencode(root),
        os.fsencode(journal) if journal else b"",
        os.fsencode(shadow),
        int(failing.calls),
        failing.error,
        ctypes.c_long(failing.first),
        ctypes.c_long(failing.count),
        int(failing.shorten),
    )


def begin_in_child(root: Path, failing: Failing, journal: Path | None, shadow: Path) -> dict[str, str]:
    """Return variables of the environment that make ``begin`` happen as soon as another interpreter starts."""
    known = [str(root), int(failing.calls), failing.error, failing.first, failing.count, failing.shorten]
    return {BEGIN_VARIABLE: json.dumps([*known, str(journal or ""), str(shadow)])}


def begin_as_told() -> None:
    """Do what ``begin_in_child`` asks for; called when an interpreter starts."""
    told = os.environ.get(BEGIN_VARIABLE)
    if told:
        root, calls, error, first, count, shorten, journal, shadow = json.loads(told)
        failing = Failing(Calls(calls), error, first, count, shorten)
        begin(Path(root), failing, Path(journal) if journal else None, Path(shadow))
