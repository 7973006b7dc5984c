import subprocess
import sys
from pathlib import Path

from tests.paths import ROOT


def test_the_package_is_the_command_and_ends_as_it_does(tmp_path: Path):
    arguments = ["view", "tour-9", "--data", str(tmp_path)]
    ended = subprocess.run(
        [sys.executable, "-m", "pipeline", *arguments], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert ended.returncode == 1
    assert ended.stdout.startswith("SettingsError: there is no video tour-9")
    assert ended.stderr == ""
