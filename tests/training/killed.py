"""Real processes that are killed without warning at a step drawn from a seed."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.paths import ROOT


def drawn_step(seed: int, steps: int) -> int:
    """A step after which there is still something to do."""
    return random.Random(seed).randrange(1, steps)


def killing_at(step: int) -> Callable[[int, int], None]:
    """Progress that ends its own process as ``kill -9`` does once so many steps are done."""

    def progress(task: str, done: float, total: float, note: str = "") -> None:  # noqa: ARG001 - the interface
        if done == step:
            os.kill(os.getpid(), signal.SIGKILL)

    return progress


def run_until_killed(script: str, folder: Path, step: int) -> None:
    """Run a script that trains into a folder, given as its first argument, until it is killed at a step."""
    begin = "import sys\nfrom pathlib import Path\nimport torch\nfrom tests.training.killed import killing_at\n"
    begin += "torch.set_num_threads(1)\nfolder, progress = Path(sys.argv[1]), killing_at(int(sys.argv[2]))\n"
    command = [sys.executable, "-W", "ignore", "-c", begin + script, str(folder), str(step)]
    ended = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
