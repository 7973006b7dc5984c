"""Stage ``semantics``: what everything is."""

import numpy as np

from pipeline.contract.classes import SemanticClass
from pipeline.stages.base import Resources, StageResult, Workbench, imported, stage
from pipeline.stages.semantics.backends import SETTINGS, segmenter
from pipeline.stages.semantics.checks import label_histogram
from pipeline.stages.semantics.rows import append_semantics, blank_semantics, only_shown
from pipeline.stages.semantics.settings import SemanticsSettings
from pipeline.store.group_writer import GroupWriter
from pipeline.store.groups import SEMANTICS
from pipeline.store.outputs import GroupOutput
from pipeline.store.rows import clip_rows, read_pictures, read_scene


@stage(
    code_version="3",
    settings=SETTINGS,
    inputs=("indoor_clips", "scene"),
    output=GroupOutput(SEMANTICS),
    preview=imported("pipeline.stages.semantics.preview:labelled_frame"),
    checks=(label_histogram,),
    resources=Resources(cpus=2, memory_gb=3),
)
def semantics(workbench: Workbench, settings: SemanticsSettings, group: GroupWriter) -> StageResult:
    """Give every pixel of every frame a label and a region, at the resolution of its depth."""
    video = workbench.video
    backend = segmenter(settings, video.files.scratch)
    clips, known, notes, regions = clip_rows(video), [], [], 0
    for done, (clip_id, rows) in enumerate(clips):
        workbench.progress("semantics", done, len(clips), f"clip {clip_id}")
        scene = read_scene(video, rows)
        found = blank_semantics(scene.depth)
        if scene.registered.any():
            rgb = read_pictures(video, rows)
            found = only_shown(backend.segment(rgb, scene), rgb)
            known.append(float((found.labels != SemanticClass.UNKNOWN).mean()))
            notes += [f"clip {clip_id}: {note}" for note in found.notes]
        regions = append_semantics(group, found, regions)
    return StageResult(backend.name, {"share_labelled": float(np.mean(known))}, (), tuple(notes), backend.weights)
