"""Places, taken and given back by real processes, some of which are killed."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from models.places import Places
from tests.paths import ROOT

HOLD = """
import sys
from pathlib import Path
from models.places import Places
with Places(Path(sys.argv[1]), int(sys.argv[2])).hold(int(sys.argv[3])):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def holder(folder: Path, count: int, wanted: int) -> Iterator["subprocess.Popen[str]"]:
    """A process that holds places until it is killed."""
    command = [sys.executable, "-c", HOLD, str(folder), str(count), str(wanted)]
    with subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_those_that_fit_beside_one_another_do_not_wait(tmp_path: Path):
    told: list[str] = []
    places = Places(tmp_path, 10)
    with (
        holder(tmp_path, 10, 4),
        places.hold(5, lambda: told.append("waits")),
        places.hold(1, lambda: told.append("x")),
    ):
        pass
    assert told == []


def test_a_killed_process_gives_its_places_back(tmp_path: Path):
    waiting, held = threading.Event(), threading.Event()

    def take() -> None:
        with Places(tmp_path, 10).hold(5, waiting.set):
            held.set()

    with holder(tmp_path, 10, 6) as process:
        thread = threading.Thread(target=take)
        thread.start()
        assert waiting.wait(60)
        assert not held.is_set()
        process.kill()
        thread.join(600)
    assert held.is_set()


def test_more_than_there_are_is_all_there_are(tmp_path: Path):
    with Places(tmp_path, 3).hold(10):
        assert len(list(tmp_path.glob("place*.lock"))) == 3


def test_one_who_wants_many_is_not_overtaken(tmp_path: Path):
    """Of two that wait, the one that came first goes first, although the other one would fit at once."""
    order, threads = [], []

    def take(wanted: int, begun: threading.Event) -> None:
        with Places(tmp_path, 4).hold(wanted, begun.set):
            order.append(wanted)

    with holder(tmp_path, 4, 2) as process:
        for wanted in (4, 1):
            begun = threading.Event()
            threads.append(threading.Thread(target=take, args=(wanted, begun)))
            threads[-1].start()
            assert begun.wait(60)
        assert order == []
        process.kill()
    for thread in threads:
        thread.join(600)
    assert order == [4, 1]


def test_an_error_inside_gives_places_back(tmp_path: Path):
    with pytest.raises(ZeroDivisionError), Places(tmp_path, 1).hold():
        raise ZeroDivisionError
    with Places(tmp_path, 1).hold(waits=lambda: pytest.fail("it is still held")):
        pass
