"""A bucket on loopback and hosts that share it: every host has a home, hence a cache and scratch, of its own."""

import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from tests.paths import ROOT


@dataclass(frozen=True)
class Bucket:
    """A bucket: where its server listens, its URL, and the folder by which its server is told what goes wrong."""

    endpoint: str
    url: str
    control: Path

    def environment(self, home: Path) -> dict[str, str]:
        """Return the environment of a host of its own."""
        home.mkdir(parents=True, exist_ok=True)
        return os.environ | {
            "HOME": str(home),
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def requests(self) -> list[str]:
        """Return what was asked of the server so far: status, method and path."""
        return (self.control / "requests").read_text().splitlines()

    @contextmanager
    def having(self, fault: str, measure: str = "") -> Iterator[None]:
        """Have something go wrong with the server in the block."""
        told = self.control / fault
        told.write_text(measure)
        try:
            yield
        finally:
            told.unlink()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bucket]:
    """One server for all tests, with a bucket on it."""
    folder = tmp_path_factory.mktemp("server")
    command = [sys.executable, "-m", "tests.cluster.s3_server", str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as serving:
        assert serving.stdout is not None
        endpoint = serving.stdout.readline().strip()
        try:
            urllib.request.urlopen(urllib.request.Request(f"{endpoint}/bucket", method="PUT")).close()  # noqa: S310
            yield Bucket(endpoint, "s3://bucket", folder)
        finally:
            serving.kill()


@pytest.fixture
def bucket(server: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """An empty prefix of its own, which this process reaches as a host of its own."""
    for name, value in server.environment(tmp_path / "here").items():
        monkeypatch.setenv(name, value)
    return Bucket(server.endpoint, f"s3://bucket/{uuid4().hex}", server.control)
