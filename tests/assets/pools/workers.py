"""Workers that are small programs, ending as builds of videos may end."""

import sys

import pytest

from assets.pools import local

BEGIN = """
import os, signal, sys, time
from multiprocessing.connection import Connection
channel = Connection(os.dup(0))
channel.send({})
"""


def workers_with(monkeypatch: pytest.MonkeyPatch, code: str | None) -> None:
    """Have workers be programs of this code; with None there is no such program."""
    program = ("/no/such/program",) if code is None else (sys.executable, "-c", code)
    monkeypatch.setattr(local, "WORKER", program)
