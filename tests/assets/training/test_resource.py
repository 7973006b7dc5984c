from pathlib import Path

import pytest

from assets.resources import PipelineResource
from assets.training.resource import TrainingResource
from pipeline.contract.errors import SettingsError
from training.settings import DistillSettings


def resource(place: Path, **given: object) -> TrainingResource:
    return TrainingResource.model_validate(
        {"pipeline": PipelineResource(data=str(place / "data")), "folder": str(place / "networks"), **given}
    )


@pytest.mark.parametrize(
    ("given", "method", "named"),
    [
        ({"study": {"finetune": {"label_share": 2}}}, "comparison", r"finetune\.label_share"),
        ({"study": {"no_such": 2}}, "comparison", "no_such"),
        ({"benchmark": {"kind": "kitti"}}, "benchmark_source", "kind"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, given: dict[str, object], method: str, named: str):
    with pytest.raises(SettingsError, match=named):
        getattr(resource(tmp_path, **given), method)()


def test_networks_lie_in_the_folder_given_else_in_that_of_the_environment_else_below_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("YOUTUBE_OCC_NETWORKS", raising=False)
    assert resource(tmp_path).place("a").parent == tmp_path / "networks"
    assert resource(tmp_path, folder=None).place("a").parent == Path("data/networks")
    monkeypatch.setenv("YOUTUBE_OCC_NETWORKS", str(tmp_path / "elsewhere"))
    assert resource(tmp_path, folder=None).place("a").parent == tmp_path / "elsewhere"
    assert resource(tmp_path).place("a").parent == tmp_path / "networks"


def test_another_identity_has_another_folder_and_the_same_one_the_same(tmp_path: Path):
    training = resource(tmp_path)
    first = training.place("network", "v1", {"steps": 3, "rate": 0.1})
    assert first == training.place("network", "v1", {"rate": 0.1, "steps": 3})
    others = {
        training.place("network", "v2", {"steps": 3}),
        training.place("network", "v1"),
        training.place("other", "v1"),
    }
    assert len({first, *others}) == 4
    assert first.name.startswith("network-")


def test_a_network_is_trained_anew_for_another_dataset_teacher_preset_or_setting(tmp_path: Path):
    usual = resource(tmp_path)
    pretrained = [
        usual.pretrained("v1"),
        usual.pretrained("v2"),
        resource(tmp_path, preset="tiny").pretrained("v1"),
        resource(tmp_path, teacher="san").pretrained("v1"),
        resource(tmp_path, weights="other").pretrained("v1"),
        resource(tmp_path, distill={"loop": {"steps": 5}}).pretrained("v1"),
    ]
    assert len(set(pretrained)) == len(pretrained)
    assert usual.pretrained("v1") == resource(tmp_path, query="a bed").pretrained("v1"), "what is asked trains nothing"
    assert usual.labelled("v1") != usual.labelled("v2")
    assert usual.labelled("v1") != resource(tmp_path, study={"finetune": {"label_share": 0.5}}).labelled("v1")


def test_settings_lie_over_the_defaults(tmp_path: Path):
    chosen = resource(tmp_path, distill={"loop": {"steps": 7}})
    found = chosen.settings(DistillSettings, chosen.distill)
    assert found.loop.steps == 7
    assert found.loop.workers == DistillSettings().loop.workers
    assert resource(tmp_path, preset="tiny").comparison().preset == "tiny"
    assert resource(tmp_path, preset="tiny", study={"preset": "small"}).comparison().preset == "small"


def test_without_a_benchmark_the_datasets_own_frames_are_one(tmp_path: Path):
    source = resource(tmp_path).benchmark_source()
    assert str(source.path) == str(tmp_path / "data")
    given = resource(tmp_path, benchmark={"kind": "monoscene", "path": str(tmp_path / "nyu")}).benchmark_source()
    assert (given.kind, str(given.path)) == ("monoscene", str(tmp_path / "nyu"))
