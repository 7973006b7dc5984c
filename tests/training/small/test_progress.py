"""The line on the terminal: progress, the loss of late, and scores on lines of their own."""

import pytest

from tests.training.small.tiny_recipe import SETTINGS
from training.small.progress import ProgressLine


def shown(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def test_scores_get_a_line_of_their_own(capsys: pytest.CaptureFixture[str]):
    ProgressLine("halves", SETTINGS.loop).log_metrics({"accuracy": 0.91234, "cross-entropy": 2.0}, 40)
    assert shown(capsys) == "\rhalves step 40: accuracy 0.9123, cross-entropy 2.0000\n"


def test_a_loss_is_shown_with_the_progress_and_not_by_itself(capsys: pytest.CaptureFixture[str]):
    line = ProgressLine("halves", SETTINGS.loop, every_s=0)
    line.log_metrics({"total": 0.5}, 1)
    assert shown(capsys) == ""
    line("training", 1, 24)
    assert shown(capsys).startswith("\rhalves 1/24  loss 0.5000  ")


def test_the_loss_of_late_counts_more_than_a_single_one(capsys: pytest.CaptureFixture[str]):
    line = ProgressLine("halves", SETTINGS.loop, every_s=0)
    for step in range(60):
        line.log_metrics({"total": 1.0}, step)
    line.log_metrics({"total": 11.0}, 60)
    line("training", 1, 24)
    assert "loss 3.0000" in shown(capsys), "a fifth of the way from 1 to 11"


def test_lines_come_at_most_every_few_seconds(capsys: pytest.CaptureFixture[str]):
    line = ProgressLine("halves", SETTINGS.loop, every_s=3600)
    for step in range(1, 24):
        line("training", step, 24)
    assert shown(capsys) == ""


def test_a_logger_has_a_name_and_nothing_to_say_of_settings(capsys: pytest.CaptureFixture[str]):
    line = ProgressLine("halves", SETTINGS.loop)
    line.log_hyperparams({"steps": 3})
    assert (line.name, line.version, shown(capsys)) == ("halves", "", "")
