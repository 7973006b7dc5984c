"""The film behind the clips of a video: its frames as its camera took them, or with what is known of it undone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from pipeline.contract.arrays import Float64s, Images
from pipeline.geometry.distortion import STRAIGHT, Distortion
from pipeline.stages.reconstruction.between import SourceFrames, numbers_between
from pipeline.store.groups import CLIPS, FRAMES
from pipeline.store.rows import stored_clips
from pipeline.store.video import VideoStore

if TYPE_CHECKING:  # OpenCV and scipy, which declaring a stage need not load
    from pipeline.geometry.rolling_shutter import Rectification

ClipRows = list[tuple[int, slice]]
"""Clip ids, each with the rows of the video's arrays that are its frames."""


@dataclass(frozen=True)
class FilmCamera:
    """What is known of how a camera films: how its lens bends, and the seconds from the first row to the last one."""

    lens: Distortion = STRAIGHT
    readout: float = 0.0

    @property
    def changes(self) -> bool:
        """Tell whether there is something to undo."""
        return self.lens.bends or self.readout != 0

    def then(self, lens: Distortion, readout: float) -> "FilmCamera":
        """Return what is known after pictures in which it was undone told of a further bend and readout."""
        return FilmCamera(self.lens.then(lens), self.readout + readout)

    def as_counts(self) -> dict[str, float]:
        """Return it by name, as a stage counts it."""
        lens = self.lens.as_counts() if self.lens.bends else {}
        return lens | ({"readout_ms": 1000 * self.readout} if self.readout else {})

    def notes(self) -> tuple[str, ...]:
        """Say what was done about it."""
        notes = []
        if self.lens.bends:
            corner = abs(self.lens.k1 + self.lens.k2)
            notes.append(f"The lens bends straight lines by {corner:.1%} at the corners; pictures were straightened.")
        if self.readout:
            notes.append(
                f"Rows are exposed one after another, within {1000 * abs(self.readout):.0f} ms; pictures were moved "
                "back to the moment of their middle row."
            )
        return tuple(notes)


@dataclass(frozen=True)
class FilmedClips:
    """The clips of a video, and what is known of its camera.

    rates: how fast what each frame of a clip shows moves (n, 9), by clip; None where nobody looked, or no film is left.
    enlarged: what pictures are enlarged by beside what the lens asks for, in all clips alike.
    """

    video: VideoStore
    clips: ClipRows
    camera: FilmCamera = FilmCamera()
    rates: Mapping[int, Float64s] | None = None
    enlarged: float = 1.0

    def with_rates(self) -> "FilmedClips":
        """Return it after a look at how fast its pictures move."""
        from pipeline.stages.reconstruction.motion_rates import motion_rates

        stored = {clip.clip_id: clip for clip in stored_clips(self.video)} if self.video.exists(CLIPS) else {}
        wanted = [stored[clip_id] for clip_id, _ in self.clips if clip_id in stored]
        found = motion_rates(self.video, [(clip, clip.frame_index.tolist()) for clip in wanted], self.camera.lens)
        ids = [clip.clip_id for clip in wanted]
        return replace(self, rates=None if found is None else dict(zip(ids, found, strict=True)))

    def taken_by(self, camera: FilmCamera) -> "FilmedClips":
        """Return it with what is known of its camera; a readout is undone where motions are known."""
        from pipeline.geometry.rolling_shutter import needed

        if not (self.rates and camera.readout):
            return replace(self, camera=replace(camera, readout=0.0), enlarged=1.0)
        motions = np.concatenate([_motions(rates, camera) for rates in self.rates.values()])
        return replace(self, camera=camera, enlarged=needed(camera.lens, motions))

    def rates_of(self, clip_id: int) -> Float64s | None:
        """Return how fast what the frames of a clip show moves (n, 9); None where that is not known."""
        return self.rates.get(clip_id) if self.rates else None

    def rectification(self, clip_id: int) -> "Rectification":
        """Return what is undone in the stored frames of a clip."""
        return self.undone(self.rates_of(clip_id))

    def pictures(self, clip_id: int) -> Images:
        """Return the stored frames (n, 480, 640, 3) of a clip, rectified."""
        rgb = self.video.read(FRAMES, "rgb", dict(self.clips)[clip_id])
        return self.rectification(clip_id).rectified(rgb)

    def between(self, clip_id: int) -> "RectifiedFrames":
        """Return what looks for frames between those of a clip."""
        return RectifiedFrames(SourceFrames(self.video, clip_id), self)

    def undone(self, rates: Float64s | None) -> "Rectification":
        """Return what is undone in frames that move by ``rates`` (n, 9); None: nobody knows how."""
        from pipeline.geometry.rolling_shutter import Rectification

        if rates is None or not self.camera.readout:
            return Rectification(self.camera.lens)
        return Rectification(self.camera.lens, _motions(rates, self.camera), self.enlarged)


@dataclass(frozen=True)
class RectifiedFrames:
    """Frames between those of a clip, rectified as those are."""

    frames: SourceFrames
    film: FilmedClips

    def __call__(self, wanted: Sequence[int]) -> list[Images]:
        """Return for each step of the clip up to ``wanted`` frames (k, 480, 640, 3), evenly spread between its ends."""
        found = self.frames(wanted)
        if not self.film.camera.changes or not any(len(step) for step in found):
            return found
        ends = np.cumsum([len(step) for step in found])
        rectified = self.film.undone(self._rates(wanted)).rectified(np.concatenate(found))
        return np.split(rectified, ends[:-1])

    def _rates(self, wanted: Sequence[int]) -> Float64s | None:
        from pipeline.stages.reconstruction.motion_rates import motion_rates

        clip = self.frames.clip()
        if clip is None or not self.film.camera.readout:
            return None
        numbers = list(chain.from_iterable(numbers_between(clip, wanted)))
        told = motion_rates(self.film.video, [(clip, numbers)], self.film.camera.lens)
        return told[0] if told else None


def _motions(rates: Float64s, camera: FilmCamera) -> Float64s:
    """Return how what is seen moves while a picture is read out (n, 9); not at all where nobody knows."""
    return np.nan_to_num(rates) * camera.readout
