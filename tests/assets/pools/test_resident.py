import logging
import os
import resource
import signal
import warnings
from pathlib import Path

from assets.pools.resident import as_it_was


def state() -> tuple[object, ...]:
    logger = logging.getLogger()
    signals = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    limit = resource.getrlimit(resource.RLIMIT_DATA)
    return dict(os.environ), Path.cwd(), list(logger.handlers), logger.level, list(warnings.filters), signals, limit


def test_what_a_video_changes_of_its_process_does_not_reach_the_next(tmp_path: Path):
    before = state()
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    with as_it_was():
        os.environ["LEFT_BY_A_VIDEO"] = "yes"
        os.environ.pop("PATH")
        os.chdir(tmp_path)
        logging.getLogger().addHandler(logging.NullHandler())
        logging.getLogger().setLevel(logging.DEBUG)
        warnings.simplefilter("error")
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_DATA, (2**40, hard))
        assert state() != before
    assert state() == before
