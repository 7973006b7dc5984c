"""How a tour is cut together: shots, the changes between them, and who is on screen at which frame."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from pipeline.tours.settings import TourSettings

ShotKind = Literal["indoor", "outdoor", "title"]
TransitionKind = Literal["cut", "dissolve", "fade"]


@dataclass(frozen=True)
class TourShot:
    """A shot; frames ``start_frame`` to ``end_frame`` (exclusive) show it alone, without any transition."""

    shot_id: int
    kind: ShotKind
    start_frame: int
    end_frame: int


@dataclass(frozen=True)
class TourTransition:
    """The change to the next shot; of a cut, start and end are both the first frame of the new shot."""

    kind: TransitionKind
    start_frame: int
    end_frame: int


@dataclass(frozen=True)
class Mixture:
    """What a frame is mixed of: (shot id, weight) for each shot in it; weights sum to less than 1 where it is dark."""

    shares: tuple[tuple[int, float], ...]
    in_transition: bool

    @property
    def main_shot(self) -> int:
        """The shot with the largest weight."""
        return max(self.shares, key=lambda share: share[1])[0]


@dataclass(frozen=True)
class Timeline:
    """Shots and the transitions between them; together they tile the frames of the tour."""

    shots: tuple[TourShot, ...]
    transitions: tuple[TourTransition, ...]

    @property
    def frame_count(self) -> int:
        """Number of frames of the tour."""
        return self.shots[-1].end_frame

    def on_screen(self, shot: TourShot) -> tuple[int, int]:
        """Return the frames, end exclusive, in which a shot is seen at all, transitions included."""
        index = shot.shot_id
        start = self.transitions[index - 1].start_frame if index > 0 else shot.start_frame
        end = self.transitions[index].end_frame if index < len(self.transitions) else shot.end_frame
        return start, end

    def mixture(self, frame: int) -> Mixture:
        """Return what is on screen at ``frame``."""
        for shot in self.shots:
            if shot.start_frame <= frame < shot.end_frame:
                return Mixture(((shot.shot_id, 1.0),), in_transition=False)
        index = next(i for i, t in enumerate(self.transitions) if t.start_frame <= frame < t.end_frame)
        change = self.transitions[index]
        share = (frame - change.start_frame + 1) / (change.end_frame - change.start_frame + 1)
        if change.kind == "dissolve":
            return Mixture(((index, 1 - share), (index + 1, share)), in_transition=True)
        visible = (index, 1 - 2 * share) if share < 0.5 else (index + 1, 2 * share - 1)
        return Mixture((visible,), in_transition=True)


def cut_together(rng: np.random.Generator, kinds: list[ShotKind], settings: TourSettings) -> Timeline:
    """Draw the lengths of the shots and the transitions between them."""
    changes = _draw_changes(rng, len(kinds) - 1, settings)
    shots: list[TourShot] = []
    transitions: list[TourTransition] = []
    frame = 0
    for i, kind in enumerate(kinds):
        end = frame + _shot_frames(rng, kind, settings)
        shots.append(TourShot(i, kind, frame, end))
        if i < len(changes):
            frame = end + _change_frames(changes[i], settings)
            transitions.append(TourTransition(changes[i], end, frame))
    return Timeline(tuple(shots), tuple(transitions))


def _draw_changes(rng: np.random.Generator, count: int, settings: TourSettings) -> list[TransitionKind]:
    """Draw hard cuts and, in turn, dissolves and fades, in random order."""
    cuts = round(settings.cut_share * count)
    soft: list[TransitionKind] = ["dissolve", "fade"]
    changes: list[TransitionKind] = ["cut"] * cuts
    changes += [soft[i % 2] for i in range(count - cuts)]
    return [changes[i] for i in rng.permutation(count)]


def _shot_frames(rng: np.random.Generator, kind: ShotKind, settings: TourSettings) -> int:
    seconds = settings.title_seconds if kind == "title" else settings.shot_seconds * float(rng.uniform(0.8, 1.2))
    return max(2, round(seconds * settings.fps))


def _change_frames(kind: TransitionKind, settings: TourSettings) -> int:
    halves = {"cut": 0, "dissolve": 1, "fade": 2}[kind]
    return round(halves * settings.dissolve_seconds * settings.fps)
