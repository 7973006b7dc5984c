"""Zero-shot scores: a room learned by heart, and what the image network says of it."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from pipeline.contract.classes import OCCUPIED_CLASSES
from pipeline.stages.semantics.san import SanSegmenter
from tests.training.rooms import RoomFrames
from tests.training.spoken_room import small_text
from training.language.embeddings import SpokenFrames
from training.language.speaker import Speaker
from training.language.words import ClassWords
from training.language.zero_shot import PROJECTED, projected_classes, zero_shot
from training.scores.metrics import depth_surface


def test_a_room_learned_by_heart_is_named_by_words_it_never_saw_as_labels(
    learned: Path, first: SpokenFrames, words: ClassWords
):
    speaker = Speaker.load(learned, small_text())
    shuffled = replace(words, labels=np.roll(words.labels, len(words.labels) // 2))
    rivals = {"by chance": lambda sample: speaker.classes(sample, shuffled)}
    segmenter = SanSegmenter(small_text().settings)
    scores = zero_shot(speaker, words, segmenter, first.frames, "spoken", rivals)
    figures = scores.summary()
    assert figures["iou all"] > 0.5
    assert figures["miou all"] > 0.2 > 2 * figures["miou by chance"]
    for name in ("spoken", PROJECTED, "by chance", "surface from depth"):
        assert f"| {name} | visible |" in scores.markdown()


def test_what_projection_names_lies_on_the_surface_that_depth_shows(words: ClassWords):
    sample = RoomFrames(1)[0]
    named = projected_classes(SanSegmenter(small_text().settings), words, sample)
    assert 1000 < np.count_nonzero(named) <= np.count_nonzero(depth_surface(sample)) + 50
    assert set(np.unique(named).tolist()) <= {0, *map(int, OCCUPIED_CLASSES)}
