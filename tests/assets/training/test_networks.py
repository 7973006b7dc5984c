"""The training assets, one after the other on a CPU: a stored room, a tiny teacher, a benchmark of two pictures."""

from pathlib import Path

import dagster as dg
import pytest
import torch

from assets import definitions
from assets.metadata import PREVIEW_BYTES
from assets.resources import PipelineResource
from assets.training.language import language_network
from assets.training.networks import (
    distillation_study,
    finetuned_network,
    label_efficiency_report,
    pretrained_network,
    teacher_features,
    zero_shot_report,
)
from assets.training.resource import TrainingResource
from pipeline.contract.errors import SettingsError
from tests.training.rooms import RoomFrames, stored_frames
from tests.training.spoken_room import spoken_frames
from tests.training.tiny_runs import quick
from training.checkpoints import describe
from training.data.export import export_monoscene, with_nyu_camera, write_room
from training.studies.rooms import FIRST_SEED

ASSETS = [teacher_features, pretrained_network, finetuned_network, zero_shot_report, label_efficiency_report]


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory) -> TrainingResource:
    from transformers import Dinov2Config, Dinov2Model

    folder = tmp_path_factory.mktemp("training")
    torch.manual_seed(0)
    config = Dinov2Config(hidden_size=64, num_hidden_layers=1, num_attention_heads=1, patch_size=14, image_size=70)
    Dinov2Model(config).save_pretrained(folder / "dinov2")
    stored_frames(folder / "data")
    for side in ("train", "test"):
        list(export_monoscene(RoomFrames(1), folder / "nyu", side))
    loop = quick(epochs=1).model_dump(exclude={"decay_at"})
    return TrainingResource(
        pipeline=PipelineResource(data=str(folder / "data")),
        folder=str(folder / "networks"),
        weights=str(folder / "dinov2" / "model.safetensors"),
        benchmark={"kind": "monoscene", "path": str(folder / "nyu")},
        language={"loop": loop},
        distill={"loop": loop, "regions": "slic", "superpixels": 10},
        pillars={
            "arms": [{"name": "pipeline_only", "student": "tiny", "mix": "pipeline", "loss": "pixel_cosine"}],
            "seeds": [0],
            "views": 2,
            "train_rooms": 1,
            "test_rooms": 1,
            "distill": {"loop": {**loop, "steps": 1}},
            "finetune": {"loop": {**loop, "steps": 1}},
        },
        study={"shares": [1.0], "seeds": [0], "finetune": {"loop": loop}},
    )


def test_features_pre_training_fine_tuning_and_both_reports(training: TrainingResource):
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(ASSETS, resources={"training": training}, instance=instance)
    assert result.success
    found = {
        event.asset_key.to_user_string(): event.materialization.metadata
        for event in result.get_asset_materialization_events()
        if event.asset_key
    }
    assert found["teacher_features"]["frames"].value == 6
    assert found["pretrained_network"]["steps"].value == 3
    assert describe(training.pretrained(str(found["teacher_features"]["dataset"].value))).network.outputs == 64
    for name in ("finetuned_network", "zero_shot_report"):
        assert {"scores", "prediction", "curves", "settings", "miou all"} <= set(found[name])
    for name, metadata in found.items():
        assert metadata["dataset"].value == found["teacher_features"]["dataset"].value
        if name != "teacher_features":
            assert {"settings", "curves", "folder"} <= set(metadata)
    for name in ("finetuned_network", "zero_shot_report", "label_efficiency_report"):
        assert len(found[name]["prediction"].value) < 1.4 * PREVIEW_BYTES
    assert "| 100% |" in found["label_efficiency_report"]["table"].value
    assert "distilled: mIoU" in found["label_efficiency_report"]["table"].value


def test_the_study_of_distillation_shows_its_table_and_plot(training: TrainingResource):
    for seed, side in enumerate(("train", "test")):
        room = with_nyu_camera(RoomFrames(1, seed=seed)[0])
        write_room(room, training.place("rooms"), side, f"NYU{FIRST_SEED[side]}_0000")
    made = distillation_study(training=training)
    assert "| reference | pipeline_only | tiny |" in made.metadata["report"].value
    assert "data:image/jpeg" in made.metadata["plot"].value
    found = {(record["start"], record["probe"]) for record in (row.data for row in made.metadata["results"].records)}
    assert found == {(start, probe) for start in ("random", "pipeline_only") for probe in (False, True)}


def test_a_network_that_is_asked_in_words_is_scored_beside_the_one_trained_on_labels(
    training: TrainingResource, tmp_path: Path
):
    spoken_frames(tmp_path)
    kept = {name: getattr(training, name) for name in ("folder", "benchmark", "language", "study")}
    spoken = TrainingResource(pipeline=PipelineResource(data=str(tmp_path), profile="small"), query="a bed", **kept)
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([zero_shot_report, language_network], resources={"training": spoken}, instance=instance)
    found = result.asset_materializations_for_node("language_network")[0].metadata
    assert {"dataset", "curves", "settings", "prediction", "heat", "miou all", "miou closed set"} <= set(found)
    assert "| 2D features projected | visible |" in found["scores"].value
    assert len(found["heat"].value) < 1.4 * PREVIEW_BYTES
    assert "warning" not in found


def test_jobs_and_the_pool_of_the_graphics_card():
    for name, assets in (("pretrain", 2), ("finetune", 1), ("evaluate", 2), ("study", 1), ("language", 2)):
        assert len(definitions.resolve_job_def(name).nodes_in_topological_order) == assets
    assert {asset.op.pool for asset in (*ASSETS, distillation_study, language_network)} == {"gpu"}


def test_a_wrong_setting_is_named(training: TrainingResource):
    wrong = training.model_copy(update={"study": {"finetune": {"label_share": 2}}})
    with pytest.raises(SettingsError, match=r"finetune\.label_share"):
        wrong.comparison()
