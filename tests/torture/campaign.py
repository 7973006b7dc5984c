"""The campaign: round after round something happens to the processes, and the checker looks at what they left."""

import hashlib
import json
import os
import random
import shutil
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.sources.video_source import parse_source
from pipeline.stages.run import final_fingerprint
from pipeline.store.lease import FOLDER as LEASES
from tests.torture import power_cut
from tests.torture.checker import Film, Found, check, digests
from tests.torture.daemon import Daemon
from tests.torture.faults import KINDS, drawn
from tests.torture.identity import write_film
from tests.torture.processes import Processes, in_own_process
from tests.torture.report import Report
from tests.torture.work import Choice, Place, warm_up

FILMS, EDITIONS = 2, 4
SETTLE_EVERY = 8
SPREAD_S, SPREAD_OF_COMMANDS_S = 2.0, 12.0
"""Seconds within which a fault strikes: of forked processes, and of commands, which load their code first."""

OTHERS = ("build", "gather", "poll", "read", "train")
SHARE_OF_COMMANDS = 0.03
KEPT = ("changes", "claims", "places", "fingerprints.sqlite", "fingerprints.sqlite-journal", "hosts", LEASES)
"""What stays in the folder for work in progress: notes, claims, caches, and sheets of leases, which are not deleted."""

FOREIGN = ("notes.txt", "videos/diary.txt", "scratch/photo.jpg", "dataset/thesis.tex", "catalog/letter.txt")


class Campaign:
    """Rounds on one dataset.

    Args:
        folder: empty; everything lies below it. seed: decides all that is drawn. tell: takes a line for every round.
        kinds: of faults, and how often each.
    """

    def __init__(
        self,
        folder: Path,
        seed: int,
        tell: Callable[[str], None],
        kinds: Mapping[str, int] = KINDS,
        *,
        with_daemon: bool = False,
    ) -> None:
        self.place = Place(folder / "data", folder / "films")
        self.folder, self.tell, self.draw = folder, tell, random.Random(seed)
        self.report, self.choice, self._kinds = Report(seed), Choice(), kinds
        self.processes = Processes(folder, self.report, self.draw)
        self.daemon = Daemon(folder, self.place) if with_daemon else None
        self.films: dict[str, Film] = {}
        self._rows: set[str] = set()
        self._whole: dict[str, str] = {}
        self._lines: Counter[int] = Counter()
        self._references: dict[str, dict[str, str]] = {}
        os.environ["TORTURE_LEDGER"] = str(folder / "ledger")
        warm_up()
        self._prepare()

    def run(self, rounds: int) -> Report:
        """Go through rounds; every few, all is built in peace and compared with a dataset that had only peace."""
        started = time.monotonic()
        for number in range(1, rounds + 1):
            before = len(self.report.violations)
            if self.daemon is None:
                self._change_something()
            elif number % (SETTLE_EVERY // 2) == 1:  # what runs of the daemon make is what today's settings say
                self.report.processes["of the daemon"] += self.daemon.kill()
                self._change_something()
                self.daemon.start(self.choice)
            what = self._round()
            self._look_beside(f"round {number} ({what})", number)
            if number % SETTLE_EVERY == 0 or number == rounds:
                self._settle(f"settling after round {number}")
            self.report.rounds = number
            self.report.seconds = round(time.monotonic() - started, 1)
            left = self.report.seconds / number * (rounds - number)
            wrong = "; ".join(self.report.violations[before:][:3])
            self.tell(f"{number}/{rounds} {what}, {left / 60:.0f} min left" + (f"  WRONG: {wrong}" if wrong else ""))
        return self.report

    def _prepare(self) -> None:
        for folder in (self.place.films, self.folder / "shadow", self.folder / "editions"):
            folder.mkdir(parents=True)
        for video in range(FILMS):
            paths = [self.folder / "editions" / f"{video}-{edition}.mp4" for edition in range(EDITIONS)]
            for edition, path in enumerate(paths):
                write_film(path, video, edition)
            self._put(video, 0)
            self.films[self._video_id(video)] = Film(video, {_sha256(path): n for n, path in enumerate(paths)})
        self.processes.start("poll", self.place, self.choice)
        self.processes.wait()
        for name in FOREIGN:
            path = self.place.data / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_foreign(name))

    def _path(self, video: int) -> Path:
        return self.place.films / f"film-{video}.mp4"

    def _put(self, video: int, edition: int) -> None:
        """Replace a film in place, as somebody would."""
        shutil.copyfile(self.folder / "editions" / f"{video}-{edition}.mp4", self._path(video))

    def _video_id(self, video: int) -> str:
        return parse_source(str(self._path(video))).video_id

    def _change_something(self) -> None:
        if self.draw.random() < 0.45:
            changes: tuple[dict[str, Any], ...] = (
                {"frames_per_second": self.draw.choice((4.0, 5.0))},
                {"reconstruction": self.draw.randrange(3)},
                {"semantics": self.draw.randrange(3)},
                {"ray_spacing": self.draw.choice((0.012, 0.02))},
            )
            self.choice = replace(self.choice, **self.draw.choice(changes))
            self._whole.clear()
        if self.draw.random() < 0.15:
            video = self.draw.randrange(FILMS)
            self._put(video, self.draw.randrange(EDITIONS))
            self._whole.pop(self._video_id(video), None)

    def _round(self) -> str:
        commands = self.draw.random() < SHARE_OF_COMMANDS
        fault = drawn(self.draw, SPREAD_OF_COMMANDS_S if commands else SPREAD_S, self._kinds)
        first = self.draw.choice(("dagster", "dagster", "command")) if commands else "build"
        if self.daemon is not None:
            first = self.draw.choice(OTHERS[1:])  # building is the daemon's
        tasks = [first, *self.draw.sample(OTHERS, self.draw.choice((0, 1, 1, 2)))]
        (self.folder / "journal").unlink(missing_ok=True)
        for task in tasks:
            self.processes.start(task, self.place, self.choice, fault, self.draw.uniform(0, 0.3))
        self.processes.wait(fault)
        self.report.faults[fault.kind] += 1
        if fault.kind == "power":
            self.report.changes_taken_back += power_cut.cut(self.folder / "journal", self.draw)
        for path in (self.folder / "shadow").iterdir():
            path.unlink()
        return f"{fault} on {'+'.join(tasks)}"

    def _look_beside(self, when: str, number: int) -> None:
        """Let the checker look; the daemon, if there is one, has worked for a while, and holds still or is dead."""
        if self.daemon is None:
            self._look(when)
            return
        time.sleep(self.draw.uniform(5, 15))
        if number % SETTLE_EVERY == 0 or self.draw.random() < 0.2:
            self.report.processes["of the daemon"] += self.daemon.kill()
        self.daemon.pause()
        self._look(when)
        self.daemon.resume()

    def _look(self, when: str) -> Found:
        """Let the checker look, in a process of its own; note what is wrong."""
        found = in_own_process(partial(check, self.place.data, self.films))
        lost = self._rows - set(found.rows)
        self._rows |= set(found.rows)
        wrong = [*found.wrong, *(f"the catalog lost {video_id}" for video_id in sorted(lost))]
        wrong += [f"{name} is gone or altered" for name in FOREIGN if not self._is_there(name)]
        wrong += self._built_twice(found)
        self.report.videos_checked += len(found.whole)
        self.report.frames_checked += found.frames
        self.report.stale_frames += found.stale
        self.report.violations += [f"{when}: {sentence}" for sentence in wrong]
        return found

    def _is_there(self, name: str) -> bool:
        path = self.place.data / name
        return path.is_file() and path.read_text() == _foreign(name)

    def _built_twice(self, found: Found) -> list[str]:
        """Say which videos were worked on though they were whole, with the same settings, and their film the same."""
        lines = self._ledger()
        again = [
            f"{video_id} was built again, or fell apart"
            for video_id, whole in self._whole.items()
            if lines[self.films[video_id].number] != self._lines[self.films[video_id].number]
            or found.whole.get(video_id) != whole
        ]
        self._whole = {key: whole for key, whole in found.whole.items() if whole == self._wanted_now(key)}
        self._lines = lines
        return again

    def _ledger(self) -> Counter[int]:
        """Return how often clips of every film were worked on."""
        ledger = self.folder / "ledger"
        return (
            Counter(int(line.split()[1]) for line in ledger.read_text().splitlines()) if ledger.exists() else Counter()
        )

    def _wanted_now(self, video_id: str) -> str:
        """Return what ``Found.whole`` says of a video that is finished with today's settings and film."""
        film = self.films[video_id]
        edition = film.editions[_sha256(self._path(film.number))]
        return f"{final_fingerprint(video_id, self.choice.settings())} of edition {edition}"

    def _settle(self, when: str) -> None:
        """Build everything in peace; nothing may be missing then, or differ from a dataset that had only peace."""
        self.processes.start("build", self.place, self.choice)
        self.processes.wait()
        found, wrong = self._look(when), []
        self.report.settled += 1
        for video_id in self.films:
            if found.whole.get(video_id) != self._wanted_now(video_id):
                wrong.append(f"{video_id} is not finished with today's settings")
            elif not found.indexed.get(video_id):
                wrong.append(f"{video_id} is not in the index")
            else:
                wrong += self._differences(video_id, found.whole[video_id])
        if found.stale:
            wrong.append(f"{found.stale} frames of the index are not those of the store")
        left = _leftovers(self.place.data)
        if left:
            wrong.append(f"left in scratch: {', '.join(left[:5])}")
        self.report.violations += [f"{when}: {sentence}" for sentence in wrong]

    def _differences(self, video_id: str, whole: str) -> list[str]:
        key = f"{video_id} {whole}"
        if key not in self._references:
            self._build_references()
        mine = in_own_process(partial(digests, self.place.data / "videos" / video_id))
        other = self._references.get(key, {})
        self.report.compared += len(mine)
        differing = sorted(name for name in mine.keys() | other.keys() if mine.get(name) != other.get(name))
        return [f"{video_id} differs from one built in peace: {differing[:4]}"] if differing else []

    def _build_references(self) -> None:
        """Build all films with today's settings in a folder of their own, and keep what came of it."""
        peaceful = Place(self.folder / "peace", self.place.films)
        shutil.rmtree(peaceful.data, ignore_errors=True)
        self.processes.start("build", peaceful, self.choice)
        self.processes.wait()
        for video_id, whole in in_own_process(partial(check, peaceful.data, self.films)).whole.items():
            folder = peaceful.data / "videos" / video_id
            self._references[f"{video_id} {whole}"] = in_own_process(partial(digests, folder))
        self._lines = self._ledger()


def _foreign(name: str) -> str:
    return f"not of this program: {name}"


def _leftovers(data: Path) -> list[str]:
    """Return the files in the work in progress that are no locks, notes or caches, leases held, folders of switches."""
    scratch = data / json.loads((data / "youtube-occ.json").read_text())["scratch"]
    odd = [
        path
        for path in scratch.rglob("*")
        if path.is_file() and path.suffix != ".lock" and path.parts[len(scratch.parts)] not in KEPT
    ]
    held = [path for path in scratch.glob(f"{LEASES}/*.json") if _holds(path)]
    found = (path.relative_to(data).as_posix() for path in [*odd, *held, *data.glob("videos/*/switching")])
    return sorted(name for name in found if name not in FOREIGN)


def _holds(leases: Path) -> bool:
    """Tell whether a file of leases holds one, or does not read back."""
    try:
        return bool(json.loads(leases.read_bytes()))
    except ValueError:
        return True


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
