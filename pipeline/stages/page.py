"""Pictures of what the stages of a video made, one by one or as a page for a browser."""

import inspect

from PIL import Image

from pipeline.contract.errors import StageMissing
from pipeline.pictures.chosen import ANY, Chosen
from pipeline.pictures.encode import jpeg
from pipeline.pictures.layout import SCREEN_DPI, enlarged, titled
from pipeline.pictures.page import Section, page
from pipeline.stages.chain import made_by
from pipeline.stages.registry import AnyStage, stages
from pipeline.store.provenance import Provenance
from pipeline.store.video import VideoStore

PICTURE = ".jpg"
"""Ending, after the name of a stage, of the file in a video's folder."""

LARGE_BYTES = 400_000


def picture_of(video: VideoStore, stage: str, max_bytes: int) -> bytes:
    """Return a JPEG of at most ``max_bytes`` that shows what a stage made.

    Raises:
        StageMissing: the stage has not been run.
        KeyError: there is no such stage.
    """
    return jpeg(stages()[stage].preview(video), max_bytes)


def keep_picture(video: VideoStore, stage: str, drawn: Image.Image) -> str:
    """Write a stage's picture, large, among a video's files, unless that very one is there; returns its name."""
    name, image = f"{stage}{PICTURE}", jpeg(drawn, LARGE_BYTES)
    if not (video.exists(name) and video.files.read_bytes(*video.folder, name) == image):
        video.files.write_bytes(image, *video.folder, name)
    return name


def figure_of(video: VideoStore, stage: str, chosen: Chosen = ANY, dpi: int = SCREEN_DPI) -> Image.Image:
    """Return what a stage made as a picture that says what it is, drawn for print at ``dpi`` dots per inch.

    Raises:
        StageMissing: the stage has not been run.
        SettingsError: there is no such clip or frame.
        KeyError: there is no such stage.
    """
    shown = stages()[stage]
    asked = [(chosen.clip_id, "clip"), (chosen.frame, "frame")]
    which = ", ".join(f"{name} {number}" for number, name in asked if number is not None)
    title = f"{video.video_id}: {stage}{f', {which}' if which else ''}"
    with enlarged(dpi / SCREEN_DPI):
        drawn = shown.preview(video, chosen) if chosen != ANY and _takes_a_choice(shown) else shown.preview(video)
        return titled(drawn, title, shown.description.partition("\n")[0])


def _takes_a_choice(shown: AnyStage) -> bool:
    """Tell whether the preview of a stage, which may be another package's, can show what is asked for."""
    kinds = [parameter.kind for parameter in inspect.signature(shown.preview).parameters.values()]
    return len(kinds) > 1 or inspect.Parameter.VAR_POSITIONAL in kinds


def page_of(video: VideoStore, max_bytes: int) -> str:
    """Return an HTML page that needs nothing else, with a picture of at most ``max_bytes`` of every stage that was run.

    Raises:
        StageMissing: no stage of the video has been run.
    """
    made = {name: found for name in stages() if (found := made_by(video, name)) is not None}
    if not made:
        raise StageMissing(f"{video.video_id}: nothing has been made of this video yet")
    sections = [Section(name, _facts(found), picture_of(video, name, max_bytes)) for name, found in made.items()]
    return page(video.video_id, sections)


def _facts(made: Provenance) -> list[str]:
    counts = ", ".join(f"{name} {value:.4g}" for name, value in made.counts.items())
    lines = [f"{made.backend}, {made.seconds:.1f} s, {made.created}", counts]
    lines += [f"left out clip {item.clip_id}: {item.code}: {item.detail}" for item in made.left_out]
    return [*lines, *made.notes]
