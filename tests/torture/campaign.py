"""The campaign: round after round something happens to the processes, and the checker looks at what they left."""

import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.torture import power_cut
from tests.torture.checker import Film, Found, check, digests
from tests.torture.faults import QUIET, Fault, drawn
from tests.torture.identity import write_film
from tests.torture.preload import begin
from tests.torture.work import WRONG, Choice, Place, exit_code, warm_up

FILMS, EDITIONS = 2, 4
SETTLE_EVERY = 8
LONGEST_S = 120.0
SPREAD_S = 2.0
KEPT = ("changes", "places", "fingerprints.sqlite", "fingerprints.sqlite-journal")
"""What stays in the folder for work in progress: notes and caches."""

FOREIGN = ("notes.txt", "videos/diary.txt", "scratch/photo.jpg", "dataset/thesis.tex", "catalog/letter.txt")


@dataclass
class Report:
    """What came of a campaign."""

    rounds: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    processes: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    changes_taken_back: int = 0
    frames_checked: int = 0
    stale_frames: int = 0
    settled: int = 0
    violations: list[str] = field(default_factory=list)
    seconds: float = 0.0


class Campaign:
    """Rounds on one dataset.

    Args:
        folder: empty; everything lies below it. seed: decides all that is drawn. tell: takes what happened, a line each.
    """

    def __init__(self, folder: Path, seed: int, tell: Callable[[str], None]) -> None:
        self.place = Place(folder / "data", folder / "films")
        self.folder, self.tell, self.draw = folder, tell, random.Random(seed)
        self.report, self.choice = Report(), Choice()
        self.films: dict[str, Film] = {}
        self._rows: set[str] = set()
        self._whole: dict[str, str] = {}
        self._lines: Counter[int] = Counter()
        self._references: dict[str, dict[str, str]] = {}
        os.environ["TORTURE_LEDGER"] = str(folder / "ledger")
        warm_up()
        self._prepare()

    def run(self, rounds: int) -> Report:
        """Go through rounds; every few, everything is built in peace and compared with a dataset that had only peace."""
        started = time.monotonic()
        for number in range(1, rounds + 1):
            before = len(self.report.violations)
            self._change_something()
            what = self._round()
            self._look(f"round {number} ({what})")
            if number % SETTLE_EVERY == 0 or number == rounds:
                self._settle(f"settling after round {number}")
            self.report.rounds = number
            self.report.seconds = time.monotonic() - started
            left = self.report.seconds / number * (rounds - number)
            wrong = "; ".join(self.report.violations[before:][:3])
            self.tell(f"{number}/{rounds} {what}, {left / 60:.0f} min left" + (f"  WRONG: {wrong}" if wrong else ""))
        return self.report

    def _prepare(self) -> None:
        self.place.films.mkdir(parents=True)
        (self.folder / "shadow").mkdir()
        (self.folder / "editions").mkdir()
        for video in range(FILMS):
            editions = {}
            for edition in range(EDITIONS):
                path = self.folder / "editions" / f"{video}-{edition}.mp4"
                write_film(path, video, edition)
                editions[_sha256(path)] = edition
            self._put(video, 0)
            self.films[self._video_id(video)] = Film(video, editions)
        self._fork("poll", QUIET, QUIET.after_s)
        self._wait_all(QUIET)
        for name in FOREIGN:
            path = self.place.data / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"not of this program: {name}")

    def _put(self, video: int, edition: int) -> None:
        """Replace a film in place, with a copy, as somebody would."""
        target = self.place.films / f"film-{video}.mp4"
        target.write_bytes((self.folder / "editions" / f"{video}-{edition}.mp4").read_bytes())

    def _video_id(self, video: int) -> str:
        from pipeline.sources.video_source import parse_source

        return parse_source(str(self.place.films / f"film-{video}.mp4")).video_id

    def _change_something(self) -> None:
        if self.draw.random() < 0.45:
            self.choice = replace(
                self.choice,
                **self.draw.choice(
                    (
                        {"frames_per_second": self.draw.choice((4.0, 5.0))},
                        {"reconstruction": self.draw.randrange(3)},
                        {"semantics": self.draw.randrange(3)},
                        {"ray_spacing": self.draw.choice((0.012, 0.02))},
                    )
                ),
            )
            self._whole.clear()
        if self.draw.random() < 0.15:
            video = self.draw.randrange(FILMS)
            self._put(video, self.draw.randrange(EDITIONS))
            self._whole.pop(self._video_id(video), None)

    def _round(self) -> str:
        fault = drawn(self.draw, SPREAD_S)
        tasks = [
            "build",
            *self.draw.sample(["build", "gather", "poll", "read", "train"], self.draw.choice((0, 1, 1, 2))),
        ]
        self._processes: dict[int, str] = {}
        (self.folder / "journal").unlink(missing_ok=True)
        for task in tasks:
            # an error strikes every process of the round, a signal all at once or one of them
            self._fork(task, fault, self.draw.uniform(0, 0.3))
        self._wait_all(fault)
        self.report.faults[fault.kind] += 1
        self.report.processes.update(tasks)
        if fault.kind == "power":
            self.report.changes_taken_back += power_cut.cut(self.folder / "journal", self.draw)
        self._clear_shadow()
        return f"{fault} on {'+'.join(tasks)}"

    def _fork(self, task: str, fault: Fault, delay_s: float) -> None:
        seed = self.draw.randrange(2**32)
        sys.stdout.flush()
        pid = os.fork()
        if pid:
            self.__dict__.setdefault("_processes", {})[pid] = task
            return
        try:
            os.setpgid(0, 0)
            log = os.open(self.folder / "processes.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.dup2(log, 1)
            os.dup2(log, 2)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            time.sleep(delay_s)
            journal = self.folder / "journal" if fault.kind == "power" else None
            begin(self.place.data, fault.failing, journal, self.folder / "shadow")
            code = exit_code(task, self.place, self.choice, random.Random(seed))
            sys.stdout.flush()
        finally:
            os._exit(code if "code" in locals() else 1)

    def _wait_all(self, fault: Fault) -> None:
        """Let the processes run, and the fault strike; after a long while what still runs is a violation, and killed."""
        strikes, end = time.monotonic() + fault.after_s, time.monotonic() + LONGEST_S
        waiting, struck = dict(self._processes), False
        while waiting:
            for pid in list(waiting):
                found, status = os.waitpid(pid, os.WNOHANG)
                if found:
                    self._note_end(waiting.pop(pid), status)
            if not struck and time.monotonic() > strikes:
                struck = True
                self._strike(fault, list(waiting))
            if time.monotonic() > end:
                self.report.violations.append(f"{fault}: {', '.join(waiting.values())} did not end")
                self._signal(list(waiting), signal.SIGKILL)
                end = time.monotonic() + LONGEST_S
            time.sleep(0.01)
        self._processes = {}

    def _strike(self, fault: Fault, pids: list[int]) -> None:
        if fault.kind == "power":
            self._signal(pids, signal.SIGSTOP)
            self._signal(pids, signal.SIGKILL)
        elif fault.kind in ("kill", "term"):
            chosen = pids if self.draw.random() < 0.5 else pids[:1]
            self._signal(chosen, signal.SIGKILL if fault.kind == "kill" else signal.SIGTERM)
        elif fault.kind == "stop":
            self._signal(pids[:1], signal.SIGSTOP)
            time.sleep(self.draw.uniform(0.2, 2))
            self._signal(pids[:1], signal.SIGCONT)

    @staticmethod
    def _signal(pids: list[int], number: signal.Signals) -> None:
        for pid in pids:
            os.kill(pid, number)

    def _note_end(self, task: str, status: int) -> None:
        code = os.waitstatus_to_exitcode(status)
        self.report.ended[signal.Signals(-code).name if code < 0 else f"exit {code}"] += 1
        if code == WRONG:
            self.report.violations.append(f"{task} read what does not belong together (processes.log)")
        elif code < 0 and -code not in (signal.SIGKILL, signal.SIGTERM):
            self.report.violations.append(f"{task} crashed: {signal.Signals(-code).name}")

    def _look(self, when: str) -> Found:
        """Let the checker look, in a process of its own; note what is wrong."""
        found = in_own_process(lambda: check(self.place.data, self.films))
        wrong = [f"{when}: {sentence}" for sentence in found.wrong]
        lost = self._rows - set(found.rows)
        wrong += [f"{when}: the catalog lost {video_id}" for video_id in sorted(lost)]
        self._rows |= set(found.rows)
        wrong += [f"{when}: {name} is gone or altered" for name in FOREIGN if not self._is_there(name)]
        wrong += self._built_twice(when, found)
        self.report.frames_checked += sum(found.indexed.values())
        self.report.stale_frames += found.stale
        self.report.violations += wrong
        return found

    def _is_there(self, name: str) -> bool:
        path = self.place.data / name
        return path.is_file() and path.read_text() == f"not of this program: {name}"

    def _built_twice(self, when: str, found: Found) -> list[str]:
        """Say which videos were worked on though they were whole, with the same settings, and their film the same."""
        ledger = self.folder / "ledger"
        lines = (
            Counter(int(line.split()[1]) for line in ledger.read_text().splitlines()) if ledger.exists() else Counter()
        )
        again = [
            f"{when}: {video_id} was built again, or fell apart"
            for video_id, whole in self._whole.items()
            if lines[self.films[video_id].number] != self._lines[self.films[video_id].number]
            or found.whole.get(video_id) != whole
        ]
        today = {video_id: whole for video_id, whole in found.whole.items() if whole in self._wanted_now(video_id)}
        self._whole, self._lines = today, lines
        return again

    def _wanted_now(self, video_id: str) -> set[str]:
        from pipeline.sources.video_source import VideoSource
        from pipeline.stages.run import final_fingerprint

        path = VideoSource.of_origin(str(self.place.films / f"film-{self.films[video_id].number}.mp4")).origin
        edition = self.films[video_id].editions[_sha256(Path(path))]
        return {f"{final_fingerprint(video_id, self.choice.settings())} of edition {edition}"}

    def _settle(self, when: str) -> None:
        """Build everything in peace; nothing may be missing then, and nothing differ from a dataset that had only peace."""
        self._fork("build", QUIET, 0)
        self._wait_all(QUIET)
        found = self._look(when)
        self.report.settled += 1
        for video_id in self.films:
            if found.whole.get(video_id) not in self._wanted_now(video_id):
                self.report.violations.append(f"{when}: {video_id} is not finished with today's settings")
            elif not found.indexed.get(video_id):
                self.report.violations.append(f"{when}: {video_id} is not in the index")
            else:
                self._compare(when, video_id, found.whole[video_id])
        if found.stale:
            self.report.violations.append(f"{when}: {found.stale} frames of the index are not those of the store")
        left = _leftovers(self.place.data)
        if left:
            self.report.violations.append(f"{when}: left in scratch: {', '.join(left[:5])}")

    def _compare(self, when: str, video_id: str, whole: str) -> None:
        key = f"{video_id} {whole}"
        if key not in self._references:
            self._build_references(key)
        mine = in_own_process(lambda: digests(self.place.data / "videos" / video_id))
        other = self._references[key]
        differing = sorted(name for name in mine.keys() | other.keys() if mine.get(name) != other.get(name))
        if differing:
            self.report.violations.append(f"{when}: {video_id} differs from one built in peace: {differing[:4]}")

    def _build_references(self, key: str) -> None:
        """Build all films with today's settings in a folder of their own, and keep what came of it."""
        import shutil

        peaceful = Place(self.folder / "peace", self.place.films)
        shutil.rmtree(peaceful.data, ignore_errors=True)
        mine, self.place = self.place, peaceful
        self._fork("build", QUIET, 0)
        self._wait_all(QUIET)
        self.place = mine
        found = in_own_process(lambda: check(peaceful.data, self.films))
        for video_id, whole in found.whole.items():
            self._references[f"{video_id} {whole}"] = in_own_process(
                lambda: digests(peaceful.data / "videos" / video_id)
            )
        self._references.setdefault(key, {})
        lines = (self.folder / "ledger").read_text().splitlines()
        self._lines = Counter(int(line.split()[1]) for line in lines)

    def _clear_shadow(self) -> None:
        for path in (self.folder / "shadow").iterdir():
            path.unlink()


def in_own_process(work: Callable[[], Any]) -> Any:
    """Return what a function returns, called in a forked process, so that no thread of it stays in this one."""
    import pickle

    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.close(reader)
            with os.fdopen(writer, "wb") as file:
                pickle.dump(work(), file)
        except BaseException:
            import traceback

            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as file:
        content = file.read()
    if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]):
        raise RuntimeError("a process of the campaign itself failed")
    return pickle.loads(content)  # noqa: S301 - from our own child


def _leftovers(data: Path) -> list[str]:
    """Return the files in the work in progress that are no locks, notes or caches, and the folders of switches."""
    marked = json.loads((data / "youtube-occ.json").read_text())["scratch"]
    scratch = data / marked
    files = [path for path in scratch.rglob("*") if path.is_file()]
    odd = [
        path for path in files if path.suffix != ".lock" and path.parts[len(scratch.parts)] not in KEPT
    ]
    switching = list(data.glob("videos/*/switching"))
    return sorted(path.relative_to(data).as_posix() for path in [*odd, *switching] if path.name != "photo.jpg")


def _sha256(path: Path) -> str:
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()


def as_json(report: Report) -> str:
    """Return a report as JSON."""
    return json.dumps(vars(report), indent=1)
