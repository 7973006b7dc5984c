"""Puts inputs to one target in a process of its own, which may die: the parent then knows of which input."""

import json
import mmap
import os
import shutil
import struct
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fuzz.bounds import Watch, bounded_work, limit_memory
from tests.fuzz.mutate import mutated
from tests.fuzz.reader import Reader, files_of

MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of this name and of nobody else is made in it
"""Where files lie in memory: three of them are written for every input."""
EACH = 200
"""Inputs after which the parent is told."""


@dataclass
class Tally:
    """What the inputs to one target came to: how many, by outcome; violations as (seed, why); processor seconds."""

    target: str
    inputs: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    violations: list[tuple[int, str]] = field(default_factory=list)
    died: list[tuple[int, str]] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, other: dict[str, Any]) -> None:
        """Add what a process told."""
        self.inputs += other["inputs"]
        self.outcomes.update(other["outcomes"])
        self.violations += [(seed, why) for seed, why in other["violations"]]
        self.seconds += other["seconds"]


class Bench:
    """A folder with a target's true files, on which inputs are tried one after another; beside it a foreign file."""

    def __init__(self, target: Reader, root: Path) -> None:
        self.target, self.area = target, root / "area"
        self.folder, self._pristine = self.area / "case", root / "pristine"
        self.folder.mkdir(parents=True)
        self._strangers()
        os.chdir(self.area)
        self.true = target.true_inputs(self.folder)
        if not self.true:
            raise AssertionError(f"{target.name} has no true input")
        shutil.copytree(self.folder, self._pristine)
        for name in self.true:
            target.read(self.folder, name)
        self._reset()
        self._before = files_of(self.area)
        self._watch = Watch(self.folder, may_start=target.may_start)

    def outcome(self, name: str, content: bytes) -> tuple[str, str]:
        """Return what reading came to, and why that is a violation, or nothing."""
        path = self.folder / name
        path.write_bytes(content)
        found, why = self._read(name)
        listed = {**files_of(self.area), f"case/{name}": self._before[f"case/{name}"]}
        if not path.is_file() and not name.startswith(self.target.may_write):
            why = why or f"{name} was deleted"
        if listed != self._before or not path.is_file():
            strange = sorted({key for key, _ in {*listed.items()} ^ {*self._before.items()}})
            allowed = tuple(f"case/{may}" for may in self.target.may_write)
            if any(not key.startswith(allowed) for key in strange):
                why = why or f"files changed: {strange[:3]}"
            self._reset()
        path.write_bytes(self.true[name])
        return found, why

    def _read(self, name: str) -> tuple[str, str]:
        try:
            with bounded_work():
                self._watch.is_on = True
                try:
                    self.target.read(self.folder, name)
                finally:
                    self._watch.is_on = False
        except self.target.allowed as error:
            return type(error).__name__, ""
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            return type(error).__name__, f"{type(error).__name__}: {str(error)[:200]} {_where(error)}"
        return "accepted", ""

    def _strangers(self) -> None:
        (self.area / "outside").mkdir()
        (self.area / "outside" / "kept.txt").write_text("somebody else's")

    def _reset(self) -> None:
        shutil.rmtree(self.area / "outside")
        self._strangers()
        for path in self.folder.iterdir():
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        shutil.copytree(self._pristine, self.folder, dirs_exist_ok=True)


def _where(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    own = [
        f
        for f in frames
        if "/tests/fuzz/" not in f.filename and any(f"/{p}/" in f.filename for p in ("pipeline", "models", "training"))
    ]
    return f"in {Path(own[-1].filename).name}:{own[-1].lineno} {own[-1].name}" if own else ""


def run(target: Reader, seeds: Sequence[int], tell: Callable[[Tally], None]) -> Tally:
    """Put the inputs of these seeds to a target, in processes that may die; return what they came to."""
    tally, seeds = Tally(target.name), list(seeds)
    present = mmap.mmap(-1, 8)
    while seeds:
        done = 0
        for told in _forked(target, seeds, present):
            tally.add(told)
            done += told["inputs"]
            tell(tally)
            status = told["status"]
        if status == 0:
            break
        deadly = struct.unpack("q", present[:])[0]
        if deadly < 0:
            raise RuntimeError(f"{target.name}: its true inputs do not read (status {status})")
        why = f"the process died of signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"it ended ({status})"
        tally.outcomes["process died"] += 1
        tally.inputs += 1
        (tally.died if target.may_die else tally.violations).append((deadly, why))
        seeds = [seed for seed in seeds[done:] if seed != deadly]
    return tally


def _forked(target: Reader, seeds: Sequence[int], present: mmap.mmap) -> Iterator[dict[str, Any]]:
    """Yield what a child process tells, and at last its exit status."""
    present[:] = struct.pack("q", -1)
    with tempfile.TemporaryDirectory(prefix="fuzz-", dir=MEMORY if MEMORY.is_dir() else None) as root:
        reading, writing = os.pipe()
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            os.close(reading)
            _work(target, seeds, present, Path(root), writing)
        os.close(writing)
        with os.fdopen(reading) as told:
            for line in told:
                yield {**json.loads(line), "status": None}
        _, status = os.waitpid(child, 0)
    yield {"inputs": 0, "outcomes": {}, "violations": [], "seconds": 0.0, "status": status}


def _work(target: Reader, seeds: Sequence[int], present: mmap.mmap, root: Path, writing: int) -> None:
    """Try all seeds and leave; for a process of its own."""
    status = 1
    try:
        with os.fdopen(writing, "w") as out:
            bench = Bench(target, root)
            limit_memory()
            _hush()
            _try_all(bench, seeds, present, out)
        status = 0
    except BaseException:  # noqa: BLE001 - a forked child must not go on in its parent's frames
        traceback.print_exc()
    finally:
        os._exit(status)


def _hush() -> None:
    """Let nobody see what libraries in C print of damaged files."""
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    os.close(silent)


def _try_all(bench: Bench, seeds: Sequence[int], present: mmap.mmap, out: Any) -> None:
    begun, outcomes, violations = time.process_time(), Counter[str](), []
    for number, seed in enumerate(seeds, start=1):
        present[:] = struct.pack("q", seed)
        outcome, why = bench.outcome(*mutated(bench.target.name, seed, bench.true))
        outcomes[outcome] += 1
        if why:
            violations.append((seed, why))
        if number % EACH == 0 or number == len(seeds):
            present_time = time.process_time()
            report = {
                "inputs": outcomes.total(),
                "outcomes": outcomes,
                "violations": violations,
                "seconds": present_time - begun,
            }
            out.write(json.dumps(report) + "\n")
            out.flush()
            begun, outcomes, violations = present_time, Counter[str](), []
