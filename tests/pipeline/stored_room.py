"""A whole stored video of an analytic room: two clips, the second left out after the indoor filter."""

import hashlib
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np

from pipeline.contract.classes import SemanticClass, palette
from pipeline.contract.records import Clip, IndoorScore, LeftOut, Reconstruction, SceneCategory, Source
from pipeline.geometry.filling import VoxelSettings
from pipeline.geometry.voxels import voxelize
from pipeline.settings import load_settings
from pipeline.stages.clips.rows import clips_table
from pipeline.stages.indoor_clips.rows import write_indoor_scores
from pipeline.stages.occupancy.rows import append_occupancy
from pipeline.stages.reconstruction.rows import append_reconstruction
from pipeline.stages.registry import latest_inputs, stages
from pipeline.stages.run import decisive_settings
from pipeline.stages.scene.rows import append_scene
from pipeline.stages.semantics.rows import append_semantics
from pipeline.store.outputs import TableOutput
from pipeline.store.provenance import fingerprint, joined
from pipeline.store.store import Store
from pipeline.store.video import VideoStore
from tests.pipeline.box_room import Box, Room, film, looking
from tests.pipeline.provenances import noted

FPS = 4
FRAMES = 6
ROOM = Room(
    Box((0, 0, 0), (4, 3.6, 2.6)),
    (
        Box((2.6, 2.4, 0), (3.9, 3.5, 0.5), SemanticClass.BED),
        Box((0.1, 2.6, 0), (0.9, 3.5, 1.9), SemanticClass.FURNITURE),
        Box((1.5, 2.0, 0.6), (2.2, 2.6, 0.7), SemanticClass.TABLE),
    ),
)
CAMERAS = [looking((1.2 + 0.2 * i, 0.4, 1.5), (1.9, 3.0, 0.8)) for i in range(FRAMES)]


def store_room(folder: Path) -> VideoStore:
    """Store the room as the stages would: source, clips and the five groups."""
    video = Store(folder).video("room")
    scene, semantics = film(ROOM, CAMERAS, (96, 128))
    rgb = palette()[semantics.labels].repeat(5, axis=1).repeat(5, axis=2)
    _store_source(video, np.concatenate([rgb, 255 - rgb]), folder / "source.mp4")
    clips = [_clip(0), _clip(1)]
    too_short = (LeftOut("clips", 2, "TooShort", "shot of 0.4 s"),)
    with TableOutput("clips.parquet").draft(video) as draft:
        draft.table = clips_table(clips)
        draft.attributes.update(_noted("clips", left_out=too_short))
    categories = (SceneCategory("bedroom", 0.71), SceneCategory("childs_room", 0.2))
    write_indoor_scores(video, [IndoorScore(0.9, categories=categories), IndoorScore(0.1)], "0")
    outdoor = (LeftOut("indoor_clips", 1, "NotIndoor", "P(indoor) 0.10 < 0.50"),)
    with video.write_group("frames", _noted("indoor_clips", left_out=outdoor)) as group:
        group.append("rgb", rgb)
        group.append("clip_id", np.zeros(FRAMES, np.int32))
        group.append("frame_index", clips[0].frame_index)
        group.append("time_s", clips[0].time_s)
        group.append("indoor_score", np.full(FRAMES, 0.9, np.float32))
    with video.write_group("reconstruction", _noted("reconstruction")) as group:
        found = Reconstruction(scene.intrinsics, scene.camera_to_world, scene.depth, scene.confidence, scene.registered)
        append_reconstruction(group, found)
    with video.write_group("scene", _noted("scene")) as group:
        append_scene(group, scene)
    with video.write_group("semantics", _noted("semantics")) as group:
        append_semantics(group, semantics, 0)
    with video.write_group("occupancy", _noted("occupancy")) as group:
        append_occupancy(group, voxelize(scene, semantics, VoxelSettings(occupied_by="rays")))
    return video


def _store_source(video: VideoStore, pictures: np.ndarray, path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"crf": "10", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    size, sha256 = path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest()
    video.place(path, "source.mp4")
    source = Source("room", "file", "a room", "", "", sha256, size, 640, 480, FPS, len(pictures) / FPS)
    video.write_json("source.json", {**asdict(source), "provenance": _noted("video")})


def _clip(clip_id: int) -> Clip:
    index = np.arange(FRAMES) + clip_id * FRAMES
    sharpness = np.ones(FRAMES, np.float32)
    return Clip(clip_id, int(index[0]), int(index[-1]) + 1, index, index / FPS, sharpness, 0.02)


@cache
def _chain() -> dict[str, tuple[str, str]]:
    """Fingerprint of every stage, and of what it builds on, under the settings of the profile ``classic``."""
    chosen, found = load_settings(), dict[str, tuple[str, str]]()
    for name, stage in stages().items():
        before = joined([found[given][0] for given in latest_inputs(name)] or ["room"])
        found[name] = (fingerprint(name, stage.code_version, decisive_settings(stage, chosen), before), before)
    return found


def _noted(name: str, left_out: tuple[LeftOut, ...] = ()) -> dict[str, Any]:
    """What a stage would note about its result, so that the chain of fingerprints holds."""
    stage, (made, before) = stages()[name], _chain()[name]
    known = {"code_version": stage.code_version, "settings": decisive_settings(stage, load_settings())}
    return noted(name, **known, fingerprint=made, upstream=before, left_out=left_out)
