"""A place of its own to run Dagster in: home, data, sources and settings under one temporary folder."""

import json
import os
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch
from urllib.request import Request, urlopen

import dagster as dg
import psutil

from pipeline.settings import Settings, load_settings
from pipeline.store.store import Store
from tests.fresh import without_packages
from tests.paths import ROOT

LONGEST_RUN_S = 600
TINY_TOUR = {
    "fps": 8,
    "rooms_min": 3,
    "rooms_max": 3,
    "indoor_shots": 1,
    "outdoor_shots": 0,
    "title": False,
    "shot_seconds": 2.5,
    "texel": 0.05,
}


QUICK: dict[str, Any] = {
    "video": {"tour": TINY_TOUR},
    "reconstruction": {
        "colmap": {
            "sparse": {"max_features": 1200, "precise": 2.0},
            "sweep": {"width": 160, "max_planes": 64},
            "lens": {"correct": False},
        }
    },
}
"""What is tested here is who builds what, and when; not how exact it is."""


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    text: str


@dataclass(frozen=True)
class Workplace:
    """Where Dagster runs.

    lacking: packages that its processes do not find. home: folder of the ``dagster.yaml`` that holds there.
    """

    folder: Path
    sources: str
    lacking: tuple[str, ...] = ()
    home: Path = ROOT / "dagster_home"

    def __post_init__(self) -> None:
        (self.folder / "home").mkdir(parents=True, exist_ok=True)
        shutil.copy(self.home / "dagster.yaml", self.folder / "home")
        self.settings_file.write_text(json.dumps(QUICK))

    @property
    def settings_file(self) -> Path:
        return self.folder / "settings.yaml"

    @property
    def store(self) -> Store:
        return Store(self.folder / "data")

    @property
    def settings(self) -> Settings:
        return load_settings("classic", self.settings_file)

    @property
    def instance(self) -> dg.DagsterInstance:
        with patch.dict(os.environ, self.environment):
            return dg.DagsterInstance.from_config(str(self.folder / "home"))

    @property
    def environment(self) -> dict[str, str]:
        return {
            **(without_packages(self.lacking, self.folder / "site") if self.lacking else os.environ),
            "DAGSTER_HOME": str(self.folder / "home"),
            "DAGSTER_CLI_JOB_EXECUTE_MODULE_NAME": "assets",
            "YOUTUBE_OCC_DATA": str(self.folder / "data"),
            "YOUTUBE_OCC_SETTINGS": str(self.settings_file),
            "SOURCES": self.sources,
            "OMP_NUM_THREADS": "1",
        }

    def start(self, *arguments: str, module: str = "dagster") -> "subprocess.Popen[str]":
        """Start dagster with its output readable line by line, in a process group of its own."""
        return subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", module, *arguments],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def execute(self, job: str) -> Ended:
        return finish(self.start("job", "execute", "-j", job))

    def failure(self, video_id: str) -> dict[str, Any] | None:
        video = self.store.video(video_id)
        return video.read_json("failure.json") if video.exists("failure.json") else None


def finish(process: "subprocess.Popen[str]") -> Ended:
    text, _ = process.communicate(timeout=LONGEST_RUN_S)
    return Ended(process.returncode, text)


def kill_child(build: "subprocess.Popen[str]", video_id: str, stage: str) -> str:
    """Kill -9 the process that builds a video as soon as it reports a stage; return what was printed until then."""
    seen = []
    for line in build.stdout or ():
        seen.append(line)
        if line.split()[:2] == [video_id, stage]:
            break
    for child in psutil.Process(build.pid).children(recursive=True):
        if any(Path(file.path).name == f"{video_id}.lock" for file in child.open_files()):
            child.kill()
    return "".join(seen)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


def graphql(port: int, query: str, **variables: Any) -> dict[str, Any]:
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = Request(f"http://127.0.0.1:{port}/graphql", body, {"Content-Type": "application/json"})
    with urlopen(request, timeout=600) as answer:  # noqa: S310
        content: dict[str, Any] = json.load(answer)
    assert "errors" not in content, content
    return dict(content["data"])
