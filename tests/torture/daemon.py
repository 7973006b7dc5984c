"""Dagster's daemon beside the rounds: its sensor asks for runs, which build videos, until everything is killed."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil

from tests.paths import ROOT
from tests.torture.work import Choice, Place


class Daemon:
    """Dagster's pages, daemon and code server on the campaign's dataset, in a session of their own."""

    def __init__(self, folder: Path, place: Place) -> None:
        self._folder, self._settings = folder, folder / "daemon.yaml"
        home = folder / "daemon"
        home.mkdir()
        self._environment = command_environment(folder, place, self._settings, home)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, choice: Choice) -> None:
        """Start it, with the sensor for missing videos turned on."""
        write_settings(self._settings, choice)
        self._run("-m", "dagster", "sensor", "start", "-m", "assets", "new_videos").wait()
        self._process = self._run("-m", "dagster", "dev", "-m", "assets", "-p", "0", "--live-data-poll-rate", "60000")

    def pause(self) -> None:
        """Let nothing of it go on, so that somebody can look."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def kill(self) -> int:
        """Kill it and all that it started at once, as a machine does that is switched off; return how many died."""
        if self._process is None:
            return 0
        self._signal(signal.SIGSTOP)  # so that none sees the other die
        everything = self._signal(signal.SIGKILL)
        self._process.wait()
        psutil.wait_procs(everything)
        self._process = None
        return len(everything)

    def _signal(self, number: signal.Signals) -> list[psutil.Process]:
        """Send a signal to all of it; return what it is."""
        if self._process is None:
            return []
        everything = [psutil.Process(self._process.pid)]
        everything += everything[0].children(recursive=True)
        for process in everything:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)
        return everything

    def _run(self, *arguments: str) -> subprocess.Popen[bytes]:
        log = os.open(self._folder / "daemon.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            command = [sys.executable, "-W", "ignore", *arguments]
            return subprocess.Popen(
                command, cwd=ROOT, env=self._environment, stdout=log, stderr=log, start_new_session=True
            )
        finally:
            os.close(log)


def write_settings(path: Path, choice: Choice) -> None:
    """Write a settings file, in one step."""
    draft = path.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps({"profile": "classic", **choice.values()}))
    draft.replace(path)


def command_environment(folder: Path, place: Place, settings: Path, home: Path) -> dict[str, str]:
    """Return the environment of commands on the campaign's dataset."""
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(folder / "site"), str(ROOT)]),
        "YOUTUBE_OCC_DATA": str(place.data),
        "YOUTUBE_OCC_SETTINGS": str(settings),
        "SOURCES": str(place.films),
        "DAGSTER_HOME": str(home),
    }
