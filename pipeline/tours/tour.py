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
from pipeline.tours.camera import Movement, Pinhole, intrinsics_of
from pipeline.tours.effects.clock import FrameClock
from pipeline.tours.effects.drawn import VideoEffects, fps_of
from pipeline.tours.effects.draws import generator, within
from pipeline.tours.effects.encoding import Encoding
from pipeline.tours.effects.settings import EffectSettings
from pipeline.tours.effects.shutter import RowCamera
from pipeline.tours.filming import Filming, plan_edits
from pipeline.tours.frame_truth import FrameTruth
from pipeline.tours.frozen import refuse_frozen
from pipeline.tours.house import House, build_house
from pipeline.tours.light import Lighting, light_patches
from pipeline.tours.materials import SurfaceKind
from pipeline.tours.moves.director import Director
from pipeline.tours.painter import Painter, paint_sky, pixel_centres, title_card, with_noise
from pipeline.tours.people.crowd import Crowd
from pipeline.tours.people.passers import plan_people
from pipeline.tours.people.walker import Walker
from pipeline.tours.settings import TourSettings
from pipeline.tours.sunlight import with_sun
from pipeline.tours.timeline import ShotKind, Timeline, TourShot, TourTransition, cut_together
from pipeline.tours.walks import WalkPlanner

RENDER_THREADS = 2
TEXELS_A_SAMPLE = 5
"""Texels between samples of the light at least: coarse textures show no fine shadows."""
TITLES = ("Welcome Home", "House Tour", "Our New Place", "Come On In", "Open House")


@dataclass(frozen=True)
class Tour:
    """A tour of ``frame_count`` frames; every frame and its truth are rendered on demand, in any order.

    walks: one a shot, None for title cards; intrinsics (3, 3) float32 are those of every frame of an ordinary tour.
    width, height: of the video. filming: how a camera with faults films it; None for the perfect one.
    people: who walks through its shots.
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
    people: tuple[Walker, ...] = ()

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
        walks = director.plan(rng, timeline, clock)
        people = plan_people(seed, house, timeline, walks, chosen.moves)
        filming = Filming(drawn, clock, timeline, walks, plan_edits(seed, chosen.effects, timeline, clock))
        plain = chosen.effects == EffectSettings()
        layout = drawn.layout
        return cls(
            seed,
            chosen,
            house,
            timeline,
            walks,
            intrinsics,
            layout.width,
            layout.height,
            None if plain else filming,
            people,
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
        seen.surfaces[hidden] = SurfaceKind.PLAIN
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
        instances, surfaces = np.zeros(depth.shape, np.uint16), np.zeros(depth.shape, np.uint8)
        if camera is not None:
            caster = self.crowd.caster(shot.shot_id, self._moment(shot, frame)) or self.house.caster
            hits, mesh = caster.cast(*camera.rays(pixel_centres())), self.crowd.mesh
            found, triangle = hits.found, hits.triangle[hits.found]
            depth.ravel()[found] = hits.distance[found]
            labels.ravel()[found] = mesh.labels[triangle]
            instances.ravel()[found] = mesh.instances[triangle]
            surfaces.ravel()[found] = mesh.surfaces[triangle]
        pose = np.eye(4) if camera is None else camera.camera_to_world
        return FrameTruth(
            self.intrinsics if camera is None else camera.intrinsics,
            pose.astype(np.float32),
            depth,
            labels,
            instances,
            surfaces,
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
        return None if walk is None else walk.at(self._moment(shot, frame))

    def _moment(self, shot: TourShot, frame: int) -> float:
        """Return which second of what was filmed of a shot a frame of the tour shows."""
        first, _ = self.timeline.on_screen(shot)
        return (frame - first) / self.fps if self.filming is None else self.filming.moment(shot.shot_id, frame)

    def _render(self, painter: Painter, frame: int) -> NDArray[np.uint8]:
        if self.filming is not None:
            return self.filming.picture(painter, frame, self._title_card)
        picture = np.zeros((FRAME_HEIGHT, FRAME_WIDTH, 3), np.float32)
        for shot_id, weight in self.timeline.mixture(frame).shares:
            shot = self.shots[shot_id]
            camera = self._camera(shot, frame)
            now = painter.during(shot_id, self._moment(shot, frame))
            view = self._title_card() if camera is None else now.view(camera)
            picture += np.float32(weight) * view
        return with_noise(picture, self.settings.sensor_noise, (self.seed, frame))

    def _title_card(self) -> NDArray[np.float32]:
        rng = np.random.default_rng((self.seed, 1))
        return title_card(rng, str(rng.choice(TITLES)))

    @functools.cached_property
    def _painter(self) -> Painter:
        rng = np.random.default_rng((self.seed, 2))
        mesh, caster = self.house.mesh, self.house.caster
        spacing = max(Lighting.spacing, TEXELS_A_SAMPLE * self.settings.texel)
        light = light_patches(mesh.patches, self.house.rooms, caster, Lighting(spacing=spacing))
        light = with_sun(light, mesh) if self.settings.houses.sun else light
        crowd = self.crowd
        atlas = bake(crowd.mesh.patches, light + crowd.light(), crowd.mesh.atlas_height)
        return Painter(crowd.mesh, caster, atlas, self.intrinsics, paint_sky(rng), crowd)

    @functools.cached_property
    def crowd(self) -> Crowd:
        """The house with the people who walk through its rooms while they are filmed."""
        return Crowd.of(self.house, self.people)


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
