"""The training assets, one after the other on a CPU: a stored room, a tiny teacher, a benchmark of two pictures."""

import dagster as dg

from assets.metadata import PREVIEW_BYTES
from assets.training import networks
from assets.training.resource import TrainingResource
from pipeline.tours.seeds import ROOM_SEEDS
from tests.training.rooms import RoomFrames
from training.checkpoints import describe
from training.data.export import with_nyu_camera, write_room

ASSETS = [
    networks.teacher_features,
    networks.pretrained_network,
    networks.finetuned_network,
    networks.zero_shot_report,
    networks.label_efficiency_report,
]


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
        write_room(room, training.place("rooms"), side, f"NYU{ROOM_SEEDS[side][0]}_0000")
    made = networks.distillation_study(training=training)
    assert "| reference | pipeline_only | tiny |" in made.metadata["report"].value
    assert "data:image/jpeg" in made.metadata["plot"].value
    found = {(record["start"], record["probe"]) for record in (row.data for row in made.metadata["results"].records)}
    assert found == {(start, probe) for start in ("random", "pipeline_only") for probe in (False, True)}
