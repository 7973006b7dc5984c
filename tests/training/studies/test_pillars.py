"""The study of distillation: mixes of data, teachers of two sizes, its report, and a tiny study from end to end."""

import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.store.files import Store
from tests.training.rooms import RoomFrames, stored_frames
from tests.training.tiny_runs import quick
from training.data import Chained
from training.data.export import with_nyu_camera, write_room
from training.data.subset import FrameSubset
from training.errors import UnusableDataset, WrongCheckpoint
from training.scores.evaluate import silent
from training.settings import DistillSettings, FinetuneSettings
from training.studies.arms import ARMS, Arm, TeacherChoice
from training.studies.label_efficiency import FinetunedScore
from training.studies.pillar_report import RANDOM, StudentScore, gains, plot, report_of
from training.studies.pillars import PillarStudy, run_pillars
from training.studies.rooms import FIRST_SEED
from training.studies.tour_views import TourViews
from training.teachers.features import JoinedFeatures
from training.teachers.load import load_teacher
from training.values import with_values


class Numbered:
    """Features that say which source and frame they are of."""

    group = "teacher_numbered"

    def __init__(self, source: int) -> None:
        self.source = source

    def __getitem__(self, index: int) -> np.ndarray:
        return np.array([self.source, index], np.float16)


def test_a_chain_gives_every_part_in_order_and_features_follow_the_names():
    first, second = RoomFrames(2), RoomFrames(3, seed=1)
    chain = Chained([FrameSubset(second, [2, 0], "two of it"), first])
    assert len(chain) == len(chain.names) == 4
    assert [chain[i].name for i in range(4)] == [*chain.names] == ["room/1-2", "room/1-0", "room/0-0", "room/0-1"]
    assert chain.origin == "analytic room, seed 1, two of it + analytic room, seed 0"
    features = JoinedFeatures(chain, [(first, Numbered(0)), (second, Numbered(1))])
    assert [features[i].tolist() for i in range(4)] == [[1, 2], [1, 0], [0, 0], [0, 1]]
    assert features.group == "teacher_numbered"


def test_the_stem_of_the_small_san_is_a_teacher_of_the_same_width_and_shape():
    import torch

    picture = torch.from_numpy(RoomFrames(1)[0].rgb).permute(2, 0, 1)[None]
    tower, stem = (load_teacher(kind, "san_small") for kind in ("san", "san_stem"))
    maps = [teacher.features(picture) for teacher in (tower, stem)]
    assert maps[0].shape == maps[1].shape == (1, tower.width, *maps[0].shape[2:])
    assert not torch.allclose(*maps)
    assert tower.name != stem.name, "what is cached is found by name and weights"
    with pytest.raises(WrongCheckpoint, match="san_stem"):
        load_teacher("san_trunk", "san_small")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The place of a study whose rooms are there already: the analytic one, under the names of those of two houses."""
    made = tmp_path_factory.mktemp("study")
    for seed, side in enumerate(("train", "test")):
        room = with_nyu_camera(RoomFrames(1, seed=seed)[0])
        write_room(room, made / "rooms", side, f"NYU{FIRST_SEED[side]}_0000")
    stored_frames(made / "data")
    return made


def test_views_are_rendered_once_and_show_exact_things(folder: Path):
    views = TourViews(2, folder / "views")
    rendered = [views[i] for i in range(2)]
    assert len(set(views.names)) == 2
    stored = sorted((folder / "views").iterdir())
    made = [path.stat().st_size for path in stored]
    again = TourViews(2, folder / "views")
    for index, sample in enumerate(rendered):
        assert np.array_equal(again[index].rgb, sample.rgb)
        assert again[index].check().name == sample.name
        assert len(np.unique(sample.regions)) > 3
        assert (sample.depth > 0).mean() > 0.5
        assert np.isin(np.unique(sample.labels), (*range(12), 255)).all()
        assert (sample.labels % 255 > 0).any()
    assert [path.stat().st_size for path in sorted((folder / "views").iterdir())] == made


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
    arguments = (tiny(), Store(folder / "data"), folder, folder / "rooms", lambda _: silent, said.append)
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
        run_pillars(tiny(), Store(tmp_path), tmp_path, folder / "rooms", lambda _: silent, str)
    with pytest.raises(UnusableDataset, match="6 frames for 7 views"):
        run_pillars(tiny(views=7), Store(folder / "data"), tmp_path, folder / "rooms", lambda _: silent, str)


def outcome(student: str, start: str, seed: int, miou: float, *, probe: bool = False) -> StudentScore:
    figures = {"miou all": miou, "iou surface from depth": 0.5}
    return StudentScore(
        student=student, probe=probe, result=FinetunedScore(start=start, share=1, seed=seed, figures=figures)
    )


def test_gains_are_paired_by_seed_and_student():
    arms = (ARMS[0], Arm(name="tours_only", mix="tours"))
    outcomes = [
        outcome("small", start, seed, base + seed / 10, probe=probe)
        for probe, lower in ((False, 0.0), (True, -0.02))
        for start, base in ((RANDOM, 0.1 + lower), ("reference", 0.12 + lower), ("tours_only", 0.09 + lower))
        for seed in (1, 0)
    ]
    assert gains(outcomes, arms[1], probe=False) == pytest.approx([-0.01, -0.01])
    report = report_of(["* heading"], arms, outcomes)
    assert "| | random values | small | 15.00 ± 7.07 | | 13.00 ± 7.07 | |" in report
    assert "| reference | reference | small | 17.00 ± 7.07 | 2.00 ± 0.00 | 15.00 ± 7.07 | 2.00 ± 0.00 |" in report
    assert "| mix | tours_only | small | 14.00 ± 7.07 | -1.00 ± 0.00 |" in report
    assert "depth surface alone has IoU 50.00" in report
    assert plot(arms, outcomes).startswith(b"\x89PNG")


def test_every_arm_of_the_default_study_changes_one_thing():
    assert [arm.changes(ARMS[0]) for arm in ARMS] == [
        "reference",
        "loss",
        "teacher",
        "student",
        "student",
        "mix",
        "mix",
    ]
    larger = with_values(
        PillarStudy, {"arms": [{"name": "large", "teacher": {"kind": "dinov2", "weights": "dinov2_base"}}]}
    )
    assert larger.arms[0].teacher == TeacherChoice(kind="dinov2", weights="dinov2_base")
    with pytest.raises(ValueError, match="one name"):
        PillarStudy(arms=(ARMS[0], ARMS[0]))
