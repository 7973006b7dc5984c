"""One video through all stages, and what came out of it.

``python examples/one_video.py tour://7 --data look``; with ``--short`` the tour has a single shot and takes a minute.
"""

from typing import Annotated, Any

import numpy as np
import typer

import pipeline
from pipeline.contract.classes import FILLED_LABELS
from pipeline.contract.progress import Lines

SHORT: dict[str, Any] = {
    "video": {
        "tour": {"fps": 8, "rooms_max": 3, "indoor_shots": 1, "outdoor_shots": 0, "title": False, "shot_seconds": 2.5}
    },
    "reconstruction": {"colmap": {"sweep": {"width": 192}}},
}
"""Settings of a tour of one shot, with small depth maps."""


def main(
    source: Annotated[str, typer.Argument(help="tour://SEED, a video file, or an http(s) URL.")] = "tour://7",
    data: Annotated[str, typer.Option(help="Folder of the dataset.")] = "look",
    profile: Annotated[str, typer.Option(help="classic, small or youtube_occ.")] = "small",
    short: Annotated[bool, typer.Option(help="Make a tour of a single shot.")] = False,
) -> None:
    """Build one video and say what is in it."""
    frames = pipeline.process(source, data, profile, SHORT if short else None, Lines())

    clips = {frame.clip_id for frame in frames}
    print(f"{len(frames)} frames of {len(clips)} clips in {data}")
    for frame in frames[:3]:
        height = frame.camera.camera_to_world[2, 3]
        known = frame.depth[frame.depth > 0]
        print(f"at {frame.time_s:.2f} s: camera {height:.2f} m above the floor, sees {np.median(known):.1f} m far")

    voxels = np.bincount(np.concatenate([frame.grid.labels.ravel() for frame in frames]), minlength=256)
    for label in FILLED_LABELS:
        print(f"{label.name.lower():<10} {voxels[label]:>9} voxels")


if __name__ == "__main__":
    typer.run(main)
