"""A language head at work: which networks have one, and whose words they know."""

from pathlib import Path

import pytest
import torch

from pipeline.contract.errors import OtherWeights
from pipeline.language.text import SanText
from pipeline.stages.semantics.settings import SanSettings
from tests.pipeline.stages.semantics.tiny_san import tiny_settings, write_checkpoint
from tests.training.rooms import RoomFrames
from tests.training.spoken_room import small_text
from tests.training.tiny_runs import quick
from training.checkpoints import WEIGHTS, describe, load_network, new_network, start_from
from training.errors import WrongCheckpoint
from training.language.embeddings import SpokenFrames
from training.language.speaker import Speaker
from training.runs import finetune, learn_language
from training.scores.evaluate import classifier
from training.settings import FinetuneSettings, LanguageSettings

SHORT = LanguageSettings(loop=quick(epochs=1, batch_size=1))


def test_a_run_notes_the_weights_it_speaks_with_and_is_not_made_again(first: SpokenFrames, tmp_path: Path):
    description = learn_language(first, "small", None, SHORT, tmp_path)
    assert (description.task, description.network.outputs, description.network.language) == ("language", 2, 64)
    assert describe(tmp_path).text_weights == dict(small_text().weights)
    made = (tmp_path / WEIGHTS).stat().st_mtime_ns
    learn_language(first, "small", None, SHORT, tmp_path)
    assert (tmp_path / WEIGHTS).stat().st_mtime_ns == made
    with pytest.raises(WrongCheckpoint, match="run on other data or settings"):
        learn_language(first, "small", None, SHORT.model_copy(update={"language_loss": "regression"}), tmp_path)


def test_it_starts_from_another_task_and_others_start_from_it(first: SpokenFrames, learned: Path, tmp_path: Path):
    labels = FinetuneSettings(loop=quick(epochs=1, batch_size=1))
    finetune(RoomFrames(1), "small", learned, labels, tmp_path / "labels")
    assert load_network(tmp_path / "labels").language_head is None
    network = new_network("small", 2, first.width)
    fresh = network.language_head.state_dict()["layers.0.weight"].clone()
    start_from(network, learned)
    theirs = load_network(learned).state_dict()
    ours = network.state_dict()
    assert torch.equal(ours["decoder.cell_embedding"], theirs["decoder.cell_embedding"])
    assert torch.equal(ours["language_head.layers.0.weight"], fresh)
    assert learn_language(first, "small", tmp_path / "labels", SHORT, tmp_path / "again").steps == 1
    with pytest.raises(WrongCheckpoint, match="no language head: train one"):
        Speaker.load(tmp_path / "labels", small_text())
    with pytest.raises(WrongCheckpoint, match="fine-tune it first"):
        classifier(load_network(learned))


def test_words_of_another_text_side_are_refused(learned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("YOUTUBE_OCC_WEIGHTS", str(tmp_path))
    other = SanText(SanSettings.model_validate(tiny_settings(write_checkpoint(tmp_path / "tiny.pth"))))
    with pytest.raises(OtherWeights, match=r"learned the vectors of san_small\.safetensors"):
        Speaker.load(learned, other)
