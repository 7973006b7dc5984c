"""Label efficiency: tables over seeds, and several processes in one folder."""

from pathlib import Path

from filelock import FileLock

from tests.training.rooms import RoomFrames
from tests.training.studies.results import RESULTS
from tests.training.tiny_runs import quick
from training.checkpoints import describe
from training.settings import FinetuneSettings
from training.studies.label_efficiency import Study, label_efficiency, plot, spread, table


def test_mean_and_deviation_over_seeds_by_share_and_start():
    lines = table(RESULTS).splitlines()
    assert lines[0] == "| labels | random: mIoU | random: IoU | distilled: mIoU | distilled: IoU |"
    assert lines[2] == "| 10% | 12.00 ± 1.00 | 24.00 ± 2.00 | 15.00 ± 1.00 | 30.00 ± 2.00 |"
    assert spread([0.5]) == "50.00 (1 seed)"
    assert plot(RESULTS).startswith(b"\x89PNG")


def test_a_network_that_another_process_is_at_is_left_to_the_end(tmp_path: Path):
    frames = RoomFrames(2)
    study = Study(seeds=(0, 1), shares=(0.5,), finetune=FinetuneSettings(loop=quick(steps=3, batch_size=1)))
    other = FileLock(tmp_path / "random-50-0.lock")
    other.acquire()
    results = label_efficiency(study, frames, frames, {"random": None}, tmp_path)
    assert next(results).seed == 1
    other.release()
    assert [result.seed for result in results] == [0]
    again = label_efficiency(study, frames, frames, {"random": None}, tmp_path)
    assert {result.seed for result in again} == {0, 1}
    assert describe(tmp_path / "random-50-0").steps == 3, "as asked for, whatever the share"
