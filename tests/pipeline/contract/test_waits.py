"""What is waited for is said."""

import logging
import threading
from pathlib import Path

import pytest
from filelock import FileLock

from pipeline.contract import waits
from pipeline.contract.waits import Patience, held_aloud, in_words, say_wait


def test_only_waits_of_more_than_some_seconds_are_said(caplog: pytest.LogCaptureFixture):
    say_wait("a short one", waits.QUIET_S)
    say_wait("the turn at a.org", 750)
    assert caplog.messages == ["waiting 12 min for the turn at a.org"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-3, "0 s"), (45.2, "45 s"), (119, "119 s"), (720, "12 min"), (12600, "3.5 h"), (4e5, "4.6 days")],
)
def test_times_are_written_as_people_say_them(seconds: float, words: str):
    assert in_words(seconds) == words


def test_a_wait_without_a_known_end_is_said_now_and_then(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(waits, "QUIET_S", 0.0)
    patience = Patience("a place")
    for _ in range(3):
        patience.look()
    assert caplog.messages == ["waiting since 0 s for a place"]


def test_a_lock_that_another_holds_is_said_and_then_had(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(waits, "QUIET_S", 0.05)
    other = FileLock(tmp_path / "lock", thread_local=False)
    other.acquire()

    release = threading.Thread(target=other.release)

    class Releasing(logging.Handler):
        """Lets the lock go once it is said that it is waited for."""

        def emit(self, record: logging.LogRecord) -> None:  # noqa: ARG002
            release.start()

    handler = Releasing()
    logging.getLogger(waits.__name__).addHandler(handler)
    try:
        with held_aloud(FileLock(tmp_path / "lock"), "the catalog"):
            release.join()  # the lock is free a moment before its object says so
            assert not other.is_locked
    finally:
        logging.getLogger(waits.__name__).removeHandler(handler)
    assert "the catalog, which another process holds" in caplog.text
