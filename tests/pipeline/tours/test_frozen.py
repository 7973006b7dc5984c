"""Frozen tours are built after a look was logged, and in no other way; a log keeps every line that was written."""

import json
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.contract.errors import FrozenSeeds, UnloggedLook
from pipeline.store.store import Store
from pipeline.tours import frozen
from pipeline.tours.frozen import LOG, Look, append_line, frozen_among, log_of, looking, refuse_frozen
from pipeline.tours.seeds import ROOM_SEEDS, TUNING_SEEDS
from pipeline.tours.tour import Tour
from tests.frozen import FROZEN, git, looks, new_checkout

from .conftest import SMALL

LOOK = Look("a test", "classic", "to see whether the guard holds")
WRITER = """
import sys
from pathlib import Path
from pipeline.tours.frozen import append_line
for number in range(int(sys.argv[3])):
    append_line(Path(sys.argv[1]), sys.argv[2] * 300 + str(number))
"""
SHORT_OF_SPACE = """
import resource, sys
from pathlib import Path
from pipeline.tours.frozen import append_line
log = Path(sys.argv[1])
limit = log.stat().st_size + 10
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
append_line(log, "b" * 40)
"""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = new_checkout(tmp_path / "checkout")
    monkeypatch.setattr(frozen, "CHECKOUT", folder)
    return folder


def test_a_frozen_tour_is_not_built_and_the_error_says_what_to_do():
    with pytest.raises(FrozenSeeds, match=rf"tours {FROZEN} are frozen.*--reporting.*--seeds 1000001-1000003"):
        Tour.from_seed(FROZEN)


@pytest.mark.parametrize("purpose", [None, "", "  "])
def test_a_look_without_a_purpose_is_refused_and_not_logged(checkout: Path, purpose: str | None):
    with (
        pytest.raises(FrozenSeeds, match=f"tours {FROZEN}-{FROZEN + 1} are"),
        looking((5, FROZEN, FROZEN + 1), Look("a test", "classic", purpose), "data"),
    ):
        pytest.fail("this is a look")
    assert looks(checkout) == []


def test_a_look_is_logged_once_before_the_tour_can_be_built_and_ends(checkout: Path):
    before = datetime.now(UTC).replace(microsecond=0)
    with looking((FROZEN + 1, FROZEN, 5, FROZEN), LOOK, "data") as log:
        (logged,) = looks(checkout)
        assert Tour.from_seed(FROZEN, SMALL).seed == FROZEN
        with pytest.raises(FrozenSeeds, match=f"tours {FROZEN + 2} are"):
            refuse_frozen((FROZEN, FROZEN + 2))
    assert log == checkout / "docs" / "results" / LOG
    assert before <= datetime.fromisoformat(logged.pop("date")) <= datetime.now(UTC)
    assert logged == {
        "commit": git(checkout, "rev-parse", "HEAD").strip(),
        "dirty": False,
        "seeds": f"{FROZEN}-{FROZEN + 1}",
        "command": "a test",
        "scored": "classic",
        "purpose": "to see whether the guard holds",
    }
    assert len(looks(checkout)) == 1
    with pytest.raises(FrozenSeeds):
        Tour.from_seed(FROZEN, SMALL)


def test_a_checkout_is_dirty_by_its_changes_and_not_by_the_log(checkout: Path):
    for _ in range(2):
        with looking((FROZEN,), LOOK, "data"):
            pass
    (checkout / "pyproject.toml").write_text("[project]\nname = 'changed'\n")
    with looking((FROZEN,), LOOK, "data"):
        pass
    assert [look["dirty"] for look in looks(checkout)] == [False, False, True]


def test_an_error_during_a_look_ends_it_too(checkout: Path):
    with pytest.raises(ZeroDivisionError), looking((FROZEN,), LOOK, "data"):
        _ = 1 / 0
    with pytest.raises(FrozenSeeds):
        refuse_frozen((FROZEN,))
    assert len(looks(checkout)) == 1


def test_other_tours_need_no_purpose_and_are_not_logged(checkout: Path):
    others = [5, *TUNING_SEEDS, ROOM_SEEDS["train"][0], ROOM_SEEDS["test"][0]]
    for purpose in (None, "why not"):
        with looking(others, Look("a test", "classic", purpose), "data") as log:
            refuse_frozen(others)
        assert log is None
    assert looks(checkout) == []


def test_a_log_that_cannot_be_written_refuses_the_look(checkout: Path):
    (checkout / "docs").write_text("a file is where the log's folder would be")
    with (
        pytest.raises(UnloggedLook, match=r"nothing was looked at.*frozen_seeds\.jsonl.*mend that"),
        looking((FROZEN,), LOOK, "data"),
    ):
        pytest.fail("this is a look")
    with pytest.raises(FrozenSeeds):
        Tour.from_seed(FROZEN, SMALL)


def test_without_a_checkout_the_log_lies_in_the_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(frozen, "CHECKOUT", tmp_path / "site-packages")
    with looking((FROZEN,), LOOK, str(tmp_path / "data")) as log:
        assert log == tmp_path / "data" / LOG
    assert [json.loads(line)["commit"] for line in log.read_text().splitlines()] == [None]
    with pytest.raises(UnloggedLook, match="memory://bucket: take a local data folder"):
        log_of("memory://bucket")


def test_lines_of_two_processes_are_whole_though_one_is_killed(tmp_path: Path):
    log = tmp_path / LOG
    started = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(log), letter, count])
        for letter, count in (("a", "100000"), ("b", "150"))
    ]
    assert started[1].wait() == 0
    while not log.read_text().count("a" * 300):
        assert started[0].poll() is None
    started[0].send_signal(signal.SIGKILL)
    assert started[0].wait() == -signal.SIGKILL
    append_line(log, "after")
    lines = log.read_text().splitlines()
    assert [line for line in lines if line[0] == "b"] == [f"{'b' * 300}{number}" for number in range(150)]
    others = [line for line in lines if line[0] == "a"][:-1]
    assert others == [f"{'a' * 300}{number}" for number in range(len(others))]
    assert lines[-1] == "after"


def test_a_line_that_did_not_fit_refuses_the_look_and_harms_no_later_one(tmp_path: Path):
    log = tmp_path / LOG
    append_line(log, "a" * 40)
    ended = subprocess.run(
        [sys.executable, "-c", SHORT_OF_SPACE, str(log)], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert "UnloggedLook: nothing was looked at" in ended.stderr
    append_line(log, "c" * 40)
    assert log.read_text().splitlines() == ["a" * 40, "b" * 10, "c" * 40]


def test_frozen_tours_among_stored_videos_are_told_from_files_of_that_name(tmp_path: Path):
    store = Store(tmp_path)
    for video_id, origin in (
        (f"tour-{FROZEN}", f"tour://{FROZEN}"),
        (f"tour-{FROZEN + 1}", "/films/tour.mp4"),
        ("tour-5", "tour://5"),
    ):
        store.video(video_id).write_json("source.json", {"origin": origin})
    assert frozen_among(store, [*store.video_ids(), f"tour-{FROZEN + 2}", "a-film"]) == [FROZEN]
