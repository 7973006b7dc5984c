"""One rendered tour: a seeded house, filmed and cut, with the exact truth of every frame."""

import functools
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.classes import SemanticClass
from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH
from pipeline.tours.atlas import bake
from pipeline.tours.camera import Movement, intrinsics_of, ray_directions
from pipeline.tours.effects.draws import generator, within
from pipeline.tours.frozen import refuse_frozen
from pipeline.tours.house import House, build_house
from pipeline.tours.light import light_patches
from pipeline.tours.materials import Surface
from pipeline.tours.moves.director import Director
from pipeline.tours.painter import Painter, paint_sky, pixel_centres, title_card, with_noise
from pipeline.tours.settings import TourSettings
from pipeline.tours.sunlight import with_sun
from pipeline.tours.timeline import ShotKind, Timeline, TourShot, TourTransition, cut_together
from pipeline.tours.walks import WalkPlanner

RENDER_THREADS = 2
TITLES = ("Welcome Home", "House Tour", "Our New Place", "Come On In", "Open House")


@dataclass(frozen=True)
class FrameTruth:
    """What is exactly true of one frame; in a transition, of the shot that is more visible.

    intrinsics: (3, 3) float32, pixels. camera_to_world: (4, 4) float32, metres.
    depth: (480, 640) float32, z-depth in metres, 0 = sky or no surface.
    labels: (480, 640) uint8, 255 outdoors, in the sky and on title cards. instances: (480, 640) uint16, 0 = none.
    surfaces: (480, 640) uint8, ``Surface``; depth and labels are of the pane or mirror, not of what it shows.
    """

    intrinsics: NDArray[np.float32]
    camera_to_world: NDArray[np.float32]
    depth: NDArray[np.float32]
    labels: NDArray[np.uint8]
    instances: NDArray[np.uint16]
    surfaces: NDArray[np.uint8]
    shot_id: int
    kind: ShotKind
    in_transition: bool

    @property
    def glass(self) -> NDArray[np.bool_]:
        """Where a pane is looked through, (480, 640)."""
        return np.asarray(self.surfaces == Surface.GLASS)

    @property
    def mirror(self) -> NDArray[np.bool_]:
        """Where a mirror shows something else, (480, 640)."""
        return np.asarray(self.surfaces == Surface.MIRROR)

    @property
    def person(self) -> NDArray[np.bool_]:
        """Where somebody walks through the picture, (480, 640)."""
        return np.asarray(self.surfaces == Surface.PERSON)


@dataclass(frozen=True)
class Tour:
    """A tour of ``frame_count`` frames; every frame and its truth are rendered on demand, in any order.

    walks: one a shot, None for title cards; intrinsics (3, 3) float32 are those of every frame.
    """

    seed: int
    settings: TourSettings
    house: House
    timeline: Timeline
    walks: tuple[Movement | None, ...]
    intrinsics: NDArray[np.float32]
    width: int = FRAME_WIDTH
    height: int = FRAME_HEIGHT

    @classmethod
    def from_seed(cls, seed: int, settings: TourSettings | None = None) -> "Tour":
        """Build the house of ``seed`` and plan how it is filmed; nothing is rendered yet.

        Raises:
            FrozenSeeds: the tour is frozen, and no look at it was logged.
        """
        refuse_frozen((seed,))
        chosen = settings or TourSettings()
        rng = np.random.default_rng(seed)
        house = build_house(rng, chosen)
        field_of_view = float(rng.uniform(chosen.field_of_view_min, chosen.field_of_view_max))
        intrinsics = intrinsics_of(field_of_view)
        timeline = cut_together(rng, _plan_kinds(rng, len(house.rooms), chosen), chosen)
        planner = WalkPlanner(house, chosen, intrinsics, eye_height=_operator(seed, chosen))
        director = Director(planner, generator(seed, "moves"))
        return cls(seed, chosen, house, timeline, _plan_walks(rng, director, timeline), intrinsics)

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

    def truth(self, frame: int) -> FrameTruth:
        """Return camera, depth and labels of ``frame``.

        Raises:
            IndexError: the tour has no such frame.
        """
        mixture = self.timeline.mixture(self._checked(frame))
        shot = self.shots[mixture.main_shot]
        camera = self._camera(shot, frame)
        depth = np.zeros((FRAME_HEIGHT, FRAME_WIDTH), np.float32)
        labels = np.full(depth.shape, SemanticClass.UNKNOWN, np.uint8)
        instances, surfaces = np.zeros(depth.shape, np.uint16), np.zeros(depth.shape, np.uint8)
        if camera is not None:
            hits = self.house.caster.cast(
                camera[:3, 3].astype(np.float32), ray_directions(self.intrinsics, camera, pixel_centres())
            )
            found, triangle = hits.found, hits.triangle[hits.found]
            depth.ravel()[found] = hits.distance[found]
            labels.ravel()[found] = self.house.mesh.labels[triangle]
            instances.ravel()[found] = self.house.mesh.instances[triangle]
            surfaces.ravel()[found] = self.house.mesh.surfaces[triangle]
        pose = np.eye(4) if camera is None else camera
        return FrameTruth(
            self.intrinsics,
            pose.astype(np.float32),
            depth,
            labels,
            instances,
            surfaces,
            shot.shot_id,
            shot.kind,
            mixture.in_transition,
        )

    def picture(self, frame: int) -> NDArray[np.uint8]:
        """Return ``frame`` as (480, 640, 3) uint8 RGB.

        Raises:
            IndexError: the tour has no such frame.
        """
        return self._render(self._painter, self._checked(frame))

    def write_video(self, path: Path, on_frame: Callable[[int, int], None] | None = None) -> None:
        """Render all frames into an H.264 mp4; ``on_frame(done, total)`` is called after each."""
        import av

        with av.open(str(path), "w", format="mp4") as container:
            stream = container.add_stream(
                "libx264", rate=self.fps, options={"crf": "18", "preset": "veryfast", "threads": "1"}
            )
            stream.width, stream.height, stream.pix_fmt = self.width, self.height, "yuv420p"
            for frame, picture in enumerate(self._pictures()):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
                if on_frame is not None:
                    on_frame(frame + 1, self.frame_count)
            container.mux(stream.encode(None))

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
        light = with_sun(light, mesh) if self.settings.houses.sun else light
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


def _plan_walks(rng: np.random.Generator, director: Director, timeline: Timeline) -> tuple[Movement | None, ...]:
    rooms, fps = director.walks.house.rooms, director.walks.settings.fps
    order = [int(i) for i in rng.permutation(len(rooms))]
    visit = 0
    walks: list[Movement | None] = []
    for shot in timeline.shots:
        start, end = timeline.on_screen(shot)
        duration = (end - start) / fps
        if shot.kind == "indoor":
            walks.append(director.indoor(rng, rooms[order[visit % len(order)]], duration))
            visit += 1
        else:
            walks.append(director.outdoor(rng, duration) if shot.kind == "outdoor" else None)
    return tuple(walks)
