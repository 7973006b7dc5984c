"""Progress as plain lines: which are printed, and what they say."""

import pytest

from pipeline.contract.progress import SECONDS_BETWEEN_LINES, Lines, Pace, named, silent

HOUR = 3600.0


def printed(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_a_task_has_a_line_when_it_begins_and_one_when_it_ends(capsys: pytest.CaptureFixture[str]):
    lines = Lines("tour-5", every_s=HOUR)
    for done in range(11):
        lines("scene", done, 10, f"clip {done}")
    first, last = printed(capsys)
    assert first.split() == ["tour-5", "scene", "0%", "clip", "0"]
    assert last.split() == ["tour-5", "scene", "100%", "clip", "10"]


def test_the_next_task_begins_with_a_line_of_its_own(capsys: pytest.CaptureFixture[str]):
    lines = Lines(every_s=HOUR)
    for task in ("clips", "scene", "clips"):
        lines(task, 1, 4)
    assert [line.split()[:2] for line in printed(capsys)] == [["clips", "25%"], ["scene", "25%"], ["clips", "25%"]]


def test_a_line_is_due_again_after_its_time(capsys: pytest.CaptureFixture[str]):
    lines = Lines(every_s=0.0)
    for done in range(5):
        lines("scene", done, 10)
    assert len(printed(capsys)) == 5


def test_without_a_note_the_units_are_counted(capsys: pytest.CaptureFixture[str]):
    Lines()("training", 2.5, 10)
    assert "2.5 of 10" in printed(capsys)[0]


def test_a_task_of_unknown_size_divides_by_nothing(capsys: pytest.CaptureFixture[str]):
    Lines()("video", 0, 0, "0.0 MB")
    assert printed(capsys)[0].split() == ["video", "0%", "0.0", "MB"]


@pytest.mark.parametrize(("rank", "count"), [("0", 1), ("1", 0), ("3", 0)])
def test_of_processes_that_train_together_only_the_first_prints(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, rank: str, count: int
):
    monkeypatch.setenv("RANK", rank)
    Lines()("training", 1, 2)
    assert len(printed(capsys)) == count


@pytest.mark.parametrize(
    ("now", "done", "left"),
    [
        (0.0, 20, ""),  # nothing was done yet since the task began
        (10.0, 30, ", about 70 s left"),  # 10 units in 10 s, 70 to go
        (40.0, 60, ", about 40 s left"),
        (40.0, 30, ", about 5 min left"),  # 10 units in 40 s, 70 to go: 280 s
        (40.0, 100, ""),
    ],
)
def test_what_is_left_is_told_from_what_was_done_since_the_task_began(now: float, done: float, left: str):
    pace = Pace()
    assert pace.begins("task", 20, 0.0)
    assert not pace.begins("task", 25, 0.5)
    assert pace.left(now, done, 100) == left


@pytest.mark.parametrize(
    ("done", "total", "note", "told"),
    [
        (30, 120, "frame 30 of 120", "frame 30 of 120, about 30 s left"),
        (30, 120, "", "30 of 120, about 30 s left"),
        (0.25, 1, "", "about 30 s left"),
        (0, 1, "", ""),
        (0, 4, "clip 2", "clip 2"),
    ],
)
def test_the_time_left_is_told_beside_a_note_and_a_share_is_not_told_twice(
    done: float, total: float, note: str, told: str
):
    pace = Pace()
    pace.begins("video", 0, 100.0)
    assert pace.told(110.0, done, total, note) == told


def test_a_part_of_a_task_reports_under_the_name_of_the_whole():
    heard: list[tuple[str, float, float, str]] = []

    def listen(task: str, done: float, total: float, note: str = "") -> None:
        heard.append((task, done, total, note))

    named(listen, "distil")("epoch", 3, 8, "loss 0.2")
    named(listen, "distil")("epoch", 4, 8)
    assert heard == [("distil", 3, 8, "loss 0.2"), ("distil", 4, 8, "")]


def test_silence_prints_nothing(capsys: pytest.CaptureFixture[str]):
    silent("scene", 1, 2, "clip 1")
    assert printed(capsys) == []


def test_lines_are_seconds_apart_where_nothing_else_is_asked_for():
    assert Lines()._every == SECONDS_BETWEEN_LINES > 1
