"""``python -m pipeline.quality.panes``: what becomes of rooms that are only seen in mirrors and through windows.

Cameras are exact, and depth is that of what one makes out, behind panes and in mirrors too, but for noise of 1 %: what
a reconstruction finds that errs nowhere else.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from pipeline.contract.classes import SemanticClass
from pipeline.contract.errors import ClipError
from pipeline.contract.records import MetricScene, Reconstruction, Semantics
from pipeline.geometry.filling import VoxelSettings, fill_grid
from pipeline.geometry.voxels import grid_origin, looking_along_y
from pipeline.stages.scene.metric import upright
from pipeline.stages.scene.settings import PaneSettings, SceneSettings
from pipeline.tours.apparent import ApparentView, apparent_view
from pipeline.tours.camera import Pinhole
from pipeline.tours.materials import SurfaceKind
from pipeline.tours.seeds import seed_list
from pipeline.tours.settings import TourSettings
from pipeline.tours.tour import Tour
from pipeline.tours.variety import HARD_HOUSES, HARD_MOVES, HouseSettings

SHAPE, FRAMES, NOISE = (120, 160), 10, 0.01
PLAIN = HARD_HOUSES.model_copy(update={"mirrors": 0.0, "clear_windows": 0.0, "lofts": 0.0})
KINDS = {
    "plain": TourSettings(),
    "hard, no panes": TourSettings(houses=PLAIN, moves=HARD_MOVES.model_copy(update={"people": 0.0})),
    "mirrors": TourSettings(houses=HouseSettings(mirrors=1.0)),
    "windows": TourSettings(houses=HouseSettings(clear_windows=1.0)),
}
"""Kinds of tours that are judged."""

GRIDS = (0, 4, -1)
"""Frames whose grids are compared."""

LEAST_SEEN = 400
"""Pixels of a clip that must look through a pane for it to count, of 192,000."""

FOUND = 0.5
"""Share of those pixels that must be given the depth of the pane for it to be found."""

STRAY, OFF_M = 0.002, 0.2
"""Share of a clip's pixels outside of panes that must be put elsewhere for a false alarm, and by how many metres."""


@dataclass(frozen=True)
class PaneFigures:
    """What became of a clip, or of many.

    panes, found: seen through, and found of them. pixels: of the clip; through: that look through panes; filled: given
    another depth; right: of those in panes, wrong: by which the room is put elsewhere. Voxels, summed over grids:
    behind: known only because one sees them in a mirror or through a pane; left: of those, that are known all the same.
    room: known in truth and as measured; lost: of those, that are unknown now, or filled.
    """

    panes: int = 0
    found: int = 0
    pixels: int = 0
    through: int = 0
    filled: int = 0
    right: int = 0
    wrong: int = 0
    behind: int = 0
    left: int = 0
    room: int = 0
    lost: int = 0

    @property
    def false_alarm(self) -> bool:
        """Tell whether much of the room was put elsewhere."""
        return self.wrong > STRAY * self.pixels

    def __add__(self, other: "PaneFigures") -> "PaneFigures":
        return PaneFigures(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))


def main(
    seeds: Annotated[str, typer.Option(help="Tours of every kind, as 930301-930303.")],
    kind: Annotated[list[str] | None, typer.Option(help="Kinds of tours; none: all.")] = None,
) -> None:
    """Print what is found of panes, a row of a table for every kind."""
    for name in kind or KINDS:
        clips = list[PaneFigures]()
        for seed in seed_list(seeds):
            for shot_id, figures in judged(seed, KINDS[name]):
                typer.echo(f"{name} {seed} {shot_id} {figures}", err=True)
                clips.append(figures)
        typer.echo(row_of(name, clips))


def row_of(name: str, clips: Sequence[PaneFigures]) -> str:
    """Return the row of a table for clips of one kind."""
    total = sum(clips, PaneFigures())
    cells = (
        name,
        str(len(clips)),
        f"{total.found} of {total.panes}",
        str(sum(one.false_alarm for one in clips)),
        _share(total.right, total.filled),
        _share(total.right, total.through),
        _share(total.behind - total.left, total.behind),
        _share(total.lost, total.room),
    )
    return f"| {' | '.join(cells)} |"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else ""


def judged(seed: int, settings: TourSettings, scene: SceneSettings | None = None) -> Iterator[tuple[int, PaneFigures]]:
    """Yield the number of every indoor shot of a tour, and what became of it; those that show no up are none."""
    tour, draw = Tour.from_seed(seed, settings), np.random.default_rng(seed)
    for shot in tour.shots:
        if shot.kind != "indoor" or tour.left_out(shot):
            continue
        index = np.linspace(shot.start_frame, shot.end_frame - 1, FRAMES).round().astype(np.int64)
        poses = [tour.truth(int(frame)).camera_to_world.astype(np.float64) for frame in index]
        views = [
            apparent_view(tour.house.mesh, tour.house.caster, Pinhole(tour.intrinsics, pose), SHAPE) for pose in poses
        ]
        try:
            yield shot.shot_id, figures_of(views, tour.intrinsics, np.stack(poses), draw, scene or SceneSettings())
        except ClipError:
            continue


def figures_of(
    views: Sequence[ApparentView],
    intrinsics: NDArray[np.float32],
    poses: NDArray[np.float64],
    draw: np.random.Generator,
    settings: SceneSettings,
) -> PaneFigures:
    """Return what becomes of the frames of a clip; intrinsics: (3, 3), of all; poses: (n, 4, 4); draw: of the noise.

    Raises:
        NoUpDirection: nothing shows which way is up.
    """
    depth, apparent, surfaces, instances = (
        np.stack([getattr(view, name) for view in views]) for name in ("depth", "apparent", "surfaces", "instances")
    )
    cameras = np.repeat(intrinsics[None], len(poses), axis=0), poses.astype(np.float32)
    seen = (apparent * (1 + NOISE * draw.normal(size=apparent.shape))).astype(np.float32)
    found = Reconstruction(*cameras, seen, (seen > 0).astype(np.float32), np.ones(len(poses), np.bool_))
    _, unfilled, _ = upright(found, settings.model_copy(update={"panes": PaneSettings(fill=False)}))
    _, filled, guessed = upright(found, settings)
    glass = (surfaces == SurfaceKind.GLASS) | (surfaces == SurfaceKind.MIRROR)
    through, off = glass & (apparent > 0), np.abs(filled.depth - depth) > OFF_M + 2 * NOISE * depth
    ids, counts = np.unique(instances[through], return_counts=True)
    panes = [through & (instances == one) for one in ids[counts >= LEAST_SEEN]]
    exact = MetricScene.known(*cameras, depth)
    true, made_out, before, after = (
        _grids(replace(exact, depth=one), exact) for one in (depth, apparent, unfilled.depth, filled.depth)
    )
    known_in_truth, known_behind, known_after = (one != SemanticClass.UNKNOWN for one in (true, made_out, after))
    behind, room = known_behind & ~known_in_truth, known_in_truth & (before == true)
    counted = {"through": through, "filled": guessed, "right": guessed & through, "wrong": guessed & ~glass & off}
    voxels = {"behind": behind, "left": behind & known_after, "room": room, "lost": room & (after != true)}
    return PaneFigures(
        panes=len(panes),
        found=sum(bool(guessed[pane].mean() >= FOUND) for pane in panes),
        pixels=guessed.size,
        **{name: int(np.count_nonzero(these)) for name, these in (counted | voxels).items()},
    )


def _grids(scene: MetricScene, placed_by: MetricScene) -> NDArray[np.uint8]:
    """Return grids (n, 60, 60, 36) of a scene, occupied voxels as 1, where another scene has them: of some frames."""
    ones = np.ones(scene.depth.shape, np.uint8)
    filled, settings = [], VoxelSettings()
    for frame in GRIDS:
        turned = looking_along_y(placed_by.camera_to_world[frame])
        origin = grid_origin(placed_by, frame, turned, settings)
        filled.append(fill_grid(scene, Semantics(ones, ones.astype(np.uint16)), origin, turned, settings))
    return np.stack(filled)


if __name__ == "__main__":
    typer.run(main)
