"""The network that is asked in words: trained on the dataset's region embeddings, scored by the classes' words."""

from typing import TYPE_CHECKING, Any

import dagster as dg
from typer import echo

from assets.dataset.dataset import dataset
from assets.metadata import PREVIEW_BYTES, picture
from assets.training.networks import GPU, described, zero_shot_report
from assets.training.resource import TrainingResource
from pipeline.contract.progress import Lines, named

if TYPE_CHECKING:
    from pipeline.language.text import SanText
    from training.data import Frames
    from training.language.speaker import Speaker
    from training.language.words import ClassWords
    from training.scores.evaluate import Predictor


@dg.asset(group_name="training", deps=[dataset, zero_shot_report], pool=GPU)
def language_network(training: TrainingResource) -> dg.MaterializeResult:
    """An occupancy network with POP-3D's two heads, scored zero-shot beside the one trained on the dataset's labels."""
    from pipeline.contract.language import NO_MEANING
    from pipeline.language.text import SanText
    from pipeline.stages.semantics.backends import SAN
    from pipeline.stages.semantics.stage import semantics
    from training.data import StoredFrames
    from training.language.embeddings import SpokenFrames
    from training.language.speaker import Speaker
    from training.language.words import class_words
    from training.runs import learn_language
    from training.settings import LanguageSettings

    frames = SpokenFrames(StoredFrames(training.pipeline.store(), "train"))
    text = SanText(training.pipeline.settings().of(semantics).of(SAN))
    words, version = class_words(text, text.settings.words()), frames.frames.version
    settings = training.settings(LanguageSettings, training.language)
    folder = training.place("language", version, training.preset, settings.model_dump())
    made = learn_language(frames, training.preset, None, settings, folder, Lines("training"))
    speaker, test = Speaker.load(folder, text), training.benchmark_source().open("test")
    return dg.MaterializeResult(
        metadata={
            "dataset": version,
            **described(folder, made),
            **_scored(speaker, words, text, test, _closed_set(training, version)),
            **_pictures(speaker, words, test, training.query, text),
            **({"warning": NO_MEANING} if text.means_nothing else {}),
        }
    )


def _closed_set(training: TrainingResource, version: str) -> "dict[str, Predictor]":
    """Return the network that the zero-shot report trained on the labels of the same dataset, if it is there."""
    from training.checkpoints import DESCRIPTION, load_network
    from training.scores.evaluate import classifier

    folder = training.labelled(version)
    return {"closed set": classifier(load_network(folder))} if (folder / DESCRIPTION).exists() else {}


def _scored(
    speaker: "Speaker", words: "ClassWords", text: "SanText", frames: "Frames", rivals: "dict[str, Predictor]"
) -> dict[str, Any]:
    from pipeline.stages.semantics.san import SanSegmenter
    from training.language.zero_shot import zero_shot

    segmenter = SanSegmenter(text.settings)
    scores = zero_shot(
        speaker, words, segmenter, frames, "language head", rivals, named(Lines("training"), "zero-shot")
    )
    echo(f"\n{frames.origin}\n{scores.markdown()}\n")
    figures = {name: float(value) for name, value in scores.summary().items()}
    return {"benchmark": frames.origin, "scores": dg.MetadataValue.md(scores.markdown()), **figures}


def _pictures(
    speaker: "Speaker", words: "ClassWords", frames: "Frames", query: str, text: "SanText"
) -> dict[str, dg.MetadataValue]:
    from pipeline.pictures.encode import jpeg
    from training.language.heat import heat_picture, hottest
    from training.scores.picture import prediction_picture

    sample, heat = hottest(speaker, frames, text.embed([query])[0])
    return {
        "prediction": picture(prediction_picture(sample, speaker.classes(sample, words), PREVIEW_BYTES)),
        "heat": picture(jpeg(heat_picture(sample, heat, query), PREVIEW_BYTES)),
    }
