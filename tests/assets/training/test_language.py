from pathlib import Path

import dagster as dg

from assets.metadata import PREVIEW_BYTES
from assets.resources import PipelineResource
from assets.training.language import language_network
from assets.training.networks import zero_shot_report
from assets.training.resource import TrainingResource
from tests.training.spoken_room import spoken_frames


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
