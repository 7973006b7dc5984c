"""What a user sees of the doctor, in a process of its own, in which something may be broken for real."""

import os
import subprocess
import sys
from typing import NamedTuple

from tests.paths import ROOT


class Seen(NamedTuple):
    """How the command ended: its exit code, and its lines by what they are about."""

    code: int
    lines: dict[str, str]
    text: str

    def wrong(self) -> set[str]:
        return {name for name, line in self.lines.items() if line.startswith("wrong")}


def doctor(*arguments: str, before: str = "", **environment: str) -> Seen:
    """Run ``youtube-occ doctor``; ``before``: shell commands that come first, as ``ulimit -n 64``."""
    command = f'{before or ":"}; exec "$0" -m pipeline doctor "$@"'
    ended = subprocess.run(
        ["bash", "-c", command, sys.executable, *arguments],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )
    lines = {line[6:26].strip(): line for line in ended.stdout.splitlines()}
    return Seen(ended.returncode, lines, ended.stdout + ended.stderr)
