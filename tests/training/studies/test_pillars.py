"""The study of distillation, a tiny one from end to end."""

import json
from pathlib import Path

import pytest

from pipeline.contract.progress import silent
from pipeline.store.store import Store
from tests.training.tiny_runs import quick
from training.errors import UnusableDataset, WrongCheckpoint
from training.settings import DistillSettings, FinetuneSettings
from training.studies.arms import Arm
from training.studies.pillar_report import RANDOM
from training.studies.pillars import PillarStudy, run_pillars


def tiny(**values: object) -> PillarStudy:
    loop = quick(steps=1, batch_size=1)
    given = {
        "arms": (Arm(name="by_pixels", loss="pixel_cosine", student="tiny"), Arm(name="by_regions", student="tiny")),
        "seeds": (0,),
        "views": 2,
        "train_rooms": 1,
        "test_rooms": 1,
        "share": 1.0,
        "distill": DistillSettings(loop=loop),
        "finetune": FinetuneSettings(loop=loop),
    }
    return PillarStudy.model_validate({**given, **values})


def test_a_study_compares_every_arm_with_random_values_and_goes_on_where_it_was(folder: Path):
    said: list[str] = []
    arguments = (tiny(), Store(folder / "data"), folder, folder / "rooms", silent, said.append)
    found = run_pillars(*arguments)
    ways = {(o.student, o.result.start, o.probe) for o in found.scores}
    starts = (RANDOM, "by_pixels", "by_regions")
    assert ways == {("tiny", start, probe) for start in starts for probe in (False, True)}
    assert len(said) == 6
    assert "| loss | by_regions | tiny |" in found.report
    assert (folder / "report.md").read_text() == found.report
    assert len(json.loads((folder / "results.json").read_text())) == 6
    networks = sorted(folder.rglob("network.safetensors"))
    made = [path.stat().st_mtime_ns for path in networks]
    assert len(networks) == 8, "two distilled ones, and three starts tuned and probed"
    assert run_pillars(*arguments).scores == found.scores
    assert [path.stat().st_mtime_ns for path in networks] == made
    with pytest.raises(WrongCheckpoint, match="other data or settings"):
        run_pillars(tiny(distill=DistillSettings(loop=quick(steps=2, batch_size=1))), *arguments[1:])


def test_a_dataset_smaller_than_the_views_wanted_is_refused(folder: Path, tmp_path: Path):
    with pytest.raises(UnusableDataset, match="no dataset"):
        run_pillars(tiny(), Store(tmp_path), tmp_path, folder / "rooms", silent, str)
    with pytest.raises(UnusableDataset, match="6 frames for 7 views"):
        run_pillars(tiny(views=7), Store(folder / "data"), tmp_path, folder / "rooms", silent, str)
