"""Runs inputs through targets in processes of their own, so that a crash, a hang or hunger for memory is one result."""

import hashlib
import os
import pickle
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from tests.fuzz.mutations import mutated
from tests.fuzz.targets import Target

BATCH = 500
LONGEST_S = 20
MEMORY_BYTES = 3 << 30
"""What an input may make a process grow by."""


@dataclass
class Outcome:
    """Of a target's inputs: how often it read one, and each error that it gave; what was wrong, by seed."""

    name: str
    inputs: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    violations: dict[int, str] = field(default_factory=dict)
    seconds: float = 0.0


class _TooLongError(BaseException):
    """An input took more than ``LONGEST_S``; not an ``Exception``, which parsers may catch."""


def run(target: Target, seeds: range, others: Path) -> Outcome:
    """Run the inputs of some seeds; nothing below ``others`` may change but the target's own file."""
    outcome, started = Outcome(target.name), time.perf_counter()
    before = _digest(others, target.place)
    for start in range(seeds.start, seeds.stop, BATCH):
        batch = range(start, min(start + BATCH, seeds.stop))
        found = _in_a_process(target, batch)
        singly = found is None  # the process died: one after the other then
        for one in (range(seed, seed + 1) for seed in batch) if singly else (batch,):
            result = _in_a_process(target, one) if singly else found
            if result is None:
                outcome.violations[one.start] = "its process died"
                result = Counter(), {}
            outcome.answers.update(result[0])
            outcome.violations.update(result[1])
        outcome.inputs += len(batch)
    if _digest(others, target.place) != before:
        outcome.violations[-1] = "files beside the input changed"
    outcome.seconds = time.perf_counter() - started
    return outcome


def _in_a_process(target: Target, seeds: range) -> tuple[Counter[str], dict[int, str]] | None:
    """Return answers and violations, or None where the process died."""
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        code = 1
        try:
            os.close(reader)
            _limit()
            content = pickle.dumps(_answers(target, seeds))
            with os.fdopen(writer, "wb") as file:
                file.write(content)
            code = 0
        finally:
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader, "rb") as file:
        content = file.read()
    ended = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return None if ended or not content else pickle.loads(content)  # noqa: S301 - from our own child


def _limit() -> None:
    """Bound memory, silence what libraries print, and let an alarm end what takes too long."""
    used = int(Path("/proc/self/statm").read_text().split()[5]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_DATA, (used + MEMORY_BYTES,) * 2)
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    sys.setrecursionlimit(1000)

    signal.signal(signal.SIGALRM, _end)


def _end(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise _TooLongError


def _answers(target: Target, seeds: range) -> tuple[Counter[str], dict[int, str]]:
    answers, violations = Counter[str](), dict[int, str]()
    true = target.place.read_bytes() if target.place.exists() else None
    try:
        for seed in seeds:
            target.place.write_bytes(mutated(target.corpus, seed))
            wrong = _answer(target, answers)
            if wrong:
                violations[seed] = wrong
    finally:
        with suppress(OSError):
            target.place.unlink()
            if true is not None:
                target.place.write_bytes(true)
    return answers, violations


def _answer(target: Target, answers: Counter[str]) -> str:
    """Let a target read its file; return what was wrong, empty for an answer."""
    signal.alarm(LONGEST_S)
    try:
        target.parse(target.place)
        answers["read"] += 1
    except target.allowed as error:
        answers[type(error).__name__] += 1
    except (Exception, _TooLongError) as error:  # noqa: BLE001 - that is what is looked for
        return f"{type(error).__name__}: {str(error)[:200]}"
    finally:
        signal.alarm(0)
    return ""


def _digest(folder: Path, but: Path) -> dict[str, str]:
    return dict(_files(folder, but))


def _files(folder: Path, but: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path != but and path.suffix not in (".lock", ".sqlite"):
            yield path.relative_to(folder).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest()
