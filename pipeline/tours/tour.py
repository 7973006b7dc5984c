"""One rendered tour: a seeded house, filmed and cut, with the exact truth of every frame."""

import functools
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.classes import SemanticClass
from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH, WHOLE, Box
from pipeline.tours.atlas import bake
from pipeline.tours.camera import Movement, PictureCamera, Pinhole, intrinsics_of
from pipeline.tours.effects.clock import FrameClock
from pipeline.tours.effects.drawn import VideoEffects, fps_of
from pipeline.tours.effects.draws import generator, within
from pipeline.tours.effects.encoding import Encoding
from pipeline.tours.effects.lens import Lens
from pipeline.tours.effects.settings import EffectSettings
from pipeline.tours.effects.shutter import RowCamera
from pipeline.tours.filming import Filming, plan_edits
from pipeline.tours.frozen import refuse_frozen
from pipeline.tours.house import House, build_house
from pipeline.tours.light import light_patches
from pipeline.tours.moves.director import Director
from pipeline.tours.painter import Painter, paint_sky, pixel_centres, title_card, with_noise
from pipeline.tours.settings import TourSettings
from pipeline.tours.timeline import ShotKind, Timeline, TourShot, TourTransition, cut_together
from pipeline.tours.walks import WalkPlanner

RENDER_THREADS = 2
TITLES = ("Welcome Home", "House Tour", "Our New Place", "Come On In", "Open House")


@dataclass(frozen=True)
class FrameTruth:
    """What is exactly true of one frame; in a transition, of the shot that is more visible.

    intrinsics: (3, 3) float32, pixels. camera_to_world: (4, 4) float32, metres, of the row in the middle.
    depth: (480, 640) float32, z-depth in metres, 0 = sky or no surface.
    labels: (480, 640) uint8, 255 outdoors, in the sky, on title cards and under captions and bars.
    instances: (480, 640) uint16, 0 = none. distortion: k1 of ``effects.lens``. row_poses: (480, 4, 4) float64, pose of
    every row where rows have poses of their own, whose depth is along their own camera's axis.
    left_out: why the shot belongs into no dataset, empty where it does.
    """

    intrinsics: NDArray[np.float32]
    camera_to_world: NDArray[np.float32]
    depth: NDArray[np.float32]
    labels: NDArray[np.uint8]
    instances: NDArray[np.uint16]
    shot_id: int
    kind: ShotKind
    in_transition: bool
    distortion: float = 0.0
    row_poses: NDArray[np.float64] | None = None
    left_out: str = ""

    def camera(self) -> PictureCamera:
        """Return the camera whose pixels see what ``depth`` says, in any world."""
        poses = np.broadcast_to(self.camera_to_world.astype(np.float64), (FRAME_HEIGHT, 4, 4))
        rows = poses if self.row_poses is None else self.row_poses
        return RowCamera(Lens(self.intrinsics, self.distortion), rows, FRAME_WIDTH)


@dataclass(frozen=True)
class Tour:
    """A tour of ``frame_count`` frames; every frame and its truth are rendered on demand, in any order.

    walks: one a shot, None for title cards; intrinsics (3, 3) float32 are those of every frame of an ordinary tour.
    width, height: of the video. filming: how a camera with faults films it; None for the perfect one.
    """

    seed: int
    settings: TourSettings
    house: House
    timeline: Timeline
    walks: tuple[Movement | None, ...]
    intrinsics: NDArray[np.float32]
    width: int = FRAME_WIDTH
    height: int = FRAME_HEIGHT
    filming: Filming | None = None

    @classmethod
    def from_seed(cls, seed: int, settings: TourSettings | None = None) -> "Tour":
        """Build the house of ``seed`` and plan how it is filmed; nothing is rendered yet.

        Raises:
            FrozenSeeds: the tour is frozen, and no look at it was logged.
        """
        refuse_frozen((seed,))
        chosen = settings or TourSettings()
        chosen = chosen.model_copy(update={"fps": fps_of(seed, chosen.effects, chosen.fps)})
        rng = np.random.default_rng(seed)
        house = build_house(rng, chosen)
        field_of_view = float(rng.uniform(chosen.field_of_view_min, chosen.field_of_view_max))
        intrinsics = intrinsics_of(field_of_view)
        timeline = cut_together(rng, _plan_kinds(rng, len(house.rooms), chosen), chosen)
        planner = WalkPlanner(house, chosen, intrinsics, eye_height=_operator(seed, chosen))
        drawn = VideoEffects.draw(seed, chosen.effects, field_of_view, chosen.fps, chosen.sensor_noise)
        clock = FrameClock(seed, chosen.fps, timeline.frame_count, drawn.variable_rate)
        director = Director(planner, generator(seed, "moves"))
        walks = _plan_walks(rng, director, timeline, clock)
        filming = Filming(drawn, clock, timeline, walks, plan_edits(seed, chosen.effects, timeline, clock))
        plain = chosen.effects == EffectSettings()
        layout = drawn.layout
        return cls(
            seed, chosen, house, timeline, walks, intrinsics, layout.width, layout.height, None if plain else filming
        )

    @property
    def fps(self) -> int:
        """Frames a second."""
        return self.settings.fps

    @property
    def frame_count(self) -> int:
        """Number of frames."""
        return self.timeline.frame_count

    @property
    def shots(self) -> tuple[TourShot, ...]:
        """Shots in order."""
        return self.timeline.shots

    @property
    def transitions(self) -> tuple[TourTransition, ...]:
        """The changes between the shots, in order."""
        return self.timeline.transitions

    @property
    def cuts(self) -> list[int]:
        """First frames of what follows a hard cut, those between the stills of a slide show included, rising."""
        cuts = [change.start_frame for change in self.transitions if change.kind == "cut"]
        return sorted([*cuts, *(self.filming.changes_of_stills() if self.filming else ())])

    def left_out(self, shot: TourShot) -> str:
        """Return why a shot belongs into no dataset, empty where its film is one of a walk."""
        return "" if self.filming is None else self.filming.edits[shot.shot_id].left_out

    def truth(self, frame: int, box: Box = WHOLE) -> FrameTruth:
        """Return camera, depth and labels of ``frame`` as it is stored: 640x480, cut from a box of the video.

        Raises:
            IndexError: the tour has no such frame.
        """
        shot = self._main_shot(frame)
        if self.filming is None:
            pose = self._camera(shot, frame)
            return self._seen(frame, shot, None if pose is None else Pinhole(self.intrinsics, pose))
        camera = self.filming.camera(shot, frame, box)
        seen = self._seen(frame, shot, camera)
        hidden = self.filming.hidden(frame, box)
        seen.depth[hidden], seen.labels[hidden], seen.instances[hidden] = 0, SemanticClass.UNKNOWN, 0
        if camera is None:
            return seen
        return replace(seen, distortion=camera.lens.k1, row_poses=camera.row_poses)

    def pinhole_truth(self, frame: int, box: Box = WHOLE) -> FrameTruth:
        """Return what ``truth`` does for a pinhole in the camera's place that exposes all rows at once, uncovered.

        Its depth can be turned into points with intrinsics and pose alone, as grids are filled.
        """
        shot = self._main_shot(frame)
        camera = None if self.filming is None else self.filming.camera(shot, frame, box)
        return self.truth(frame, box) if camera is None else self._seen(frame, shot, camera.without_faults())

    def _main_shot(self, frame: int) -> TourShot:
        return self.shots[self.timeline.mixture(self._checked(frame)).main_shot]

    def _seen(self, frame: int, shot: TourShot, camera: Pinhole | RowCamera | None) -> FrameTruth:
        """Cast a ray through every pixel of a frame of 640x480."""
        depth = np.zeros((FRAME_HEIGHT, FRAME_WIDTH), np.float32)
        labels = np.full(depth.shape, SemanticClass.UNKNOWN, np.uint8)
        instances = np.zeros(depth.shape, np.uint16)
        if camera is not None:
            hits = self.house.caster.cast(*camera.rays(pixel_centres()))
            found, triangle = hits.found, hits.triangle[hits.found]
            depth.ravel()[found] = hits.distance[found]
            labels.ravel()[found] = self.house.mesh.labels[triangle]
            instances.ravel()[found] = self.house.mesh.instances[triangle]
        pose = np.eye(4) if camera is None else camera.camera_to_world
        return FrameTruth(
            self.intrinsics if camera is None else camera.intrinsics,
            pose.astype(np.float32),
            depth,
            labels,
            instances,
            shot.shot_id,
            shot.kind,
            self.timeline.mixture(frame).in_transition,
            left_out=self.left_out(shot),
        )

    def picture(self, frame: int) -> NDArray[np.uint8]:
        """Return ``frame`` of the video as (height, width, 3) uint8 RGB: 480 by 640 in an ordinary tour.

        Raises:
            IndexError: the tour has no such frame.
        """
        return self._render(self._painter, self._checked(frame))

    def write_video(self, path: Path, on_frame: Callable[[int, int], None] | None = None) -> None:
        """Render all frames into an H.264 mp4; ``on_frame(done, total)`` is called after each."""
        clock = FrameClock(self.seed, self.fps, self.frame_count) if self.filming is None else self.filming.clock
        bitrate = 0.0 if self.filming is None else self.filming.effects.bitrate_kbps
        encoding = Encoding(self.width, self.height, clock, bitrate)
        encoding.write(path, self._pictures(), on_frame)

    def _pictures(self) -> Iterator[NDArray[np.uint8]]:
        """Yield all pictures in order, rendered a few ahead by several threads."""
        render = functools.partial(self._render, self._painter)
        with ThreadPoolExecutor(RENDER_THREADS) as pool:
            waiting: deque[Future[NDArray[np.uint8]]] = deque()
            for frame in range(self.frame_count):
                waiting.append(pool.submit(render, frame))
                if len(waiting) > 2 * RENDER_THREADS:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def _checked(self, frame: int) -> int:
        if not 0 <= frame < self.frame_count:
            message = f"the tour of seed {self.seed} has frames 0 to {self.frame_count - 1}, not {frame}"
            raise IndexError(message)
        return frame

    def _camera(self, shot: TourShot, frame: int) -> NDArray[np.float64] | None:
        """Return the pose of a shot's camera at a frame of the tour; the camera runs on through transitions."""
        walk = self.walks[shot.shot_id]
        first, _ = self.timeline.on_screen(shot)
        return None if walk is None else walk.at((frame - first) / self.fps)

    def _render(self, painter: Painter, frame: int) -> NDArray[np.uint8]:
        if self.filming is not None:
            return self.filming.picture(painter, frame, self._title_card)
        picture = np.zeros((FRAME_HEIGHT, FRAME_WIDTH, 3), np.float32)
        for shot_id, weight in self.timeline.mixture(frame).shares:
            camera = self._camera(self.shots[shot_id], frame)
            view = self._title_card() if camera is None else painter.view(camera)
            picture += np.float32(weight) * view
        return with_noise(picture, self.settings.sensor_noise, (self.seed, frame))

    def _title_card(self) -> NDArray[np.float32]:
        rng = np.random.default_rng((self.seed, 1))
        return title_card(rng, str(rng.choice(TITLES)))

    @functools.cached_property
    def _painter(self) -> Painter:
        rng = np.random.default_rng((self.seed, 2))
        mesh, caster = self.house.mesh, self.house.caster
        light = light_patches(mesh.patches, self.house.rooms, caster)
        atlas = bake(mesh.patches, light, mesh.atlas_height)
        return Painter(mesh, caster, atlas, self.intrinsics, paint_sky(rng))


def _operator(seed: int, settings: TourSettings) -> float | None:
    """Draw the height at which a video's operator holds the camera, metres; None where every shot has its own."""
    if not settings.houses.one_operator:
        return None
    return within(generator(seed, "operator"), (settings.eye_height_min, settings.eye_height_max))


def _plan_kinds(rng: np.random.Generator, rooms: int, settings: TourSettings) -> list[ShotKind]:
    """Return the kinds of the shots in order: title, outside, rooms, further outdoor shots among them."""
    kinds: list[ShotKind] = ["indoor"] * (settings.indoor_shots or rooms)
    for i in range(settings.outdoor_shots):
        kinds.insert(0 if i == 0 else int(rng.integers(1, len(kinds) + 1)), "outdoor")
    return ["title", *kinds] if settings.title else kinds


def _plan_walks(
    rng: np.random.Generator, director: Director, timeline: Timeline, clock: FrameClock
) -> tuple[Movement | None, ...]:
    rooms = director.walks.house.rooms
    order = [int(i) for i in rng.permutation(len(rooms))]
    visit = 0
    walks: list[Movement | None] = []
    for shot in timeline.shots:
        duration = clock.span(*timeline.on_screen(shot))
        if shot.kind == "indoor":
            walks.append(director.indoor(rng, rooms[order[visit % len(order)]], duration))
            visit += 1
        else:
            walks.append(director.outdoor(rng, duration) if shot.kind == "outdoor" else None)
    return tuple(walks)
