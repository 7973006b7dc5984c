"""Films a walk through a house with a camera that has faults, and lays the pictures out as a publisher does."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Floats
from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH, WHOLE, Box
from pipeline.tours.camera import Movement
from pipeline.tours.effects.clock import FrameClock
from pipeline.tours.effects.drawn import VideoEffects
from pipeline.tours.effects.edits import Edit, draw_edit
from pipeline.tours.effects.sensor import to_film, to_light
from pipeline.tours.effects.settings import EffectSettings
from pipeline.tours.effects.shutter import RowCamera, Shutter
from pipeline.tours.painter import Painter
from pipeline.tours.timeline import Timeline, TourShot

if TYPE_CHECKING:
    from pipeline.media.pictures import Cut


@dataclass(frozen=True)
class Filming:
    """How the shots of a tour are filmed; walks and edits: one a shot, no walk for title cards."""

    effects: VideoEffects
    clock: FrameClock
    timeline: Timeline
    walks: tuple[Movement | None, ...]
    edits: tuple[Edit, ...]

    def picture(self, painter: Painter, frame: int, card: Callable[[], Floats]) -> NDArray[np.uint8]:
        """Return a frame of the video, (height, width, 3) uint8 RGB; ``card`` paints the title card (480, 640, 3)."""
        layout = self.effects.layout
        picture = np.zeros((layout.height, layout.width, 3), np.float32)
        for shot_id, weight in self.timeline.mixture(frame).shares:
            is_card = self.walks[shot_id] is None
            view = layout.filled(card()) if is_card else layout.placed(self._exposed(painter, shot_id, frame))
            picture += np.float32(weight) * view
        published = self.effects.overlays.laid_over(picture, self.clock.seconds(frame))
        return np.asarray(np.clip(published + 0.5, 0, 255), np.uint8)

    def changes_of_stills(self) -> list[int]:
        """Return the first frames of stills that follow another one of the same slide show."""
        changes = []
        for shot in self.timeline.shots:
            edit = self.edits[shot.shot_id]
            if edit.is_still:
                frames = range(shot.start_frame, shot.end_frame)
                numbers = [edit.still(self._elapsed(shot.shot_id, frame)).number for frame in frames]
                changes += [frames[i] for i in range(1, len(frames)) if numbers[i] != numbers[i - 1]]
        return changes

    def camera(self, shot: TourShot, frame: int, box: Box = WHOLE) -> RowCamera | None:
        """Return the camera of a stored frame, 640x480, cut from a box of the video; None for title cards.

        Of an exposure that takes time it is that of its middle.
        """
        shutter = replace(self.effects.shutter, exposure_s=0.0)
        cameras = self._cameras(shot.shot_id, frame, shutter)
        cut, layout = self._kept(box), self.effects.layout
        window = cut.left - layout.left, cut.top - layout.top, cut.width, cut.height
        return cameras[0].windowed(*window, (FRAME_WIDTH, FRAME_HEIGHT)) if cameras else None

    def hidden(self, frame: int, box: Box = WHOLE) -> NDArray[np.bool_]:
        """Tell which pixels (480, 640) of a stored frame show a bar, a caption or a logo instead of the house."""
        cut = self._kept(box)
        columns, rows = cut.columns(FRAME_WIDTH), cut.rows(FRAME_HEIGHT)
        mask = self.effects.layout.outside() | self.effects.overlays.covers(self.clock.seconds(frame))
        seen = np.take(mask[rows.astype(int)], columns.astype(int), axis=1, mode="clip")
        return np.asarray(seen | ~cut.shows(columns))

    def _kept(self, box: Box) -> "Cut":
        """Return what is stored of a box of the video."""
        from pipeline.media.pictures import cut_of

        return cut_of(self.effects.layout.width, self.effects.layout.height, box=box)

    def moment(self, shot_id: int, frame: int) -> float:
        """Return which second of what was filmed of a shot is shown at a frame."""
        return self.edits[shot_id].moment(self._elapsed(shot_id, frame))

    def _exposed(self, painter: Painter, shot_id: int, frame: int) -> Floats:
        """Return what the camera makes of a frame of a shot, (h, w, 3) float32 in 0..255."""
        edit, sensor = self.edits[shot_id], self.effects.sensor
        painter = painter.during(shot_id, self.moment(shot_id, frame))
        cameras = self._cameras(shot_id, frame, self.effects.shutter)
        if len(cameras) == 1:
            light = to_light(painter.paint(cameras[0]))
        else:
            samples = (to_light(painter.sample(camera, number)) for number, camera in enumerate(cameras))
            light = sum(samples, np.zeros((1, 1, 3), np.float32)) / np.float32(len(cameras))
        if edit.is_still:
            return to_film(light)
        gains = sensor.gains(self.clock.seconds(frame), self._elapsed(shot_id, frame))
        return sensor.developed(light, gains, (shot_id, frame))

    def _cameras(self, shot_id: int, frame: int, shutter: Shutter) -> list[RowCamera]:
        """Return the cameras of the moments of an exposure; none for title cards."""
        walk, edit, size = self.walks[shot_id], self.edits[shot_id], self.effects.layout.camera_size
        if walk is None:
            return []
        elapsed = self._elapsed(shot_id, frame)
        lens = edit.lens(self.effects.lens, size, elapsed)
        if edit.is_still:
            pose = edit.walked(walk.at)(elapsed)
            return Shutter().cameras(lambda _: pose, elapsed, lens, size)
        return shutter.cameras(edit.walked(walk.at), elapsed, lens, size)

    def _elapsed(self, shot_id: int, frame: int) -> float:
        """Return the seconds since a shot appeared; its camera runs on through transitions."""
        first, _ = self.timeline.on_screen(self.timeline.shots[shot_id])
        return self.clock.span(first, frame)


def plan_edits(seed: int, settings: EffectSettings, timeline: Timeline, clock: FrameClock) -> tuple[Edit, ...]:
    """Draw what the cutter does with each shot; title cards and shots of the garden stay as they are."""
    spans = [clock.span(*timeline.on_screen(shot)) for shot in timeline.shots]
    return tuple(
        draw_edit(seed, shot.shot_id, span, settings) if shot.kind == "indoor" else Edit(duration=span)
        for shot, span in zip(timeline.shots, spans, strict=True)
    )
