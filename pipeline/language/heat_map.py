"""What a query found as pictures and point clouds: heat over the picture, over the grid, and on its voxels."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.contract.arrays import Images
from pipeline.language.query import Answer, FrameHeat
from pipeline.language.voxels import world_centres
from pipeline.pictures.encode import jpeg
from pipeline.pictures.heat import grid_heat, heat_bounds, heat_colours, picture_heat
from pipeline.pictures.layout import below, beside, caption
from pipeline.store.groups import OCCUPANCY
from pipeline.store.rows import read_pictures
from pipeline.store.store import Store
from pipeline.store.video import VideoStore

CELLS_A_ROW = 2
MAX_BYTES = 4_000_000


def write_answer(store: Store, answer: Answer, query: str, folder: Path) -> list[Path]:
    """Write ``contact_sheet.jpg`` and a point cloud of voxels for every frame; returns the files, the sheet first.

    The clouds, ``01-<video_id>-<row>.ply``, are in metres in the clip's world; a frame without a camera has none.
    """
    store = store.as_it_is()
    folder.mkdir(parents=True, exist_ok=True)
    bounds = heat_bounds([heat.heat for heat in answer.frames])
    paths = [folder / "contact_sheet.jpg"]
    paths[0].write_bytes(jpeg(contact_sheet(store, answer, query), MAX_BYTES))
    for rank, heat in enumerate(answer.frames, start=1):
        if not np.isfinite(heat.heat.voxels).any():
            continue
        paths.append(folder / f"{rank:02}-{heat.hit.video_id}-{heat.hit.row}.ply")
        write_voxels(store.video(heat.hit.video_id), heat, bounds, paths[-1])
    return paths


def contact_sheet(store: Store, answer: Answer, query: str) -> Image.Image:
    """Return the frames of an answer, best first, each as heat over its picture and over its grid from above."""
    bounds = heat_bounds([heat.heat for heat in answer.frames])
    cells = [_cell(store.video(heat.hit.video_id), heat, bounds) for heat in answer.frames]
    rows = [beside(*cells[start : start + CELLS_A_ROW]) for start in range(0, len(cells), CELLS_A_ROW)]
    title = f"{query}: cosine {bounds[0]:.3f} (blue) to {bounds[1]:.3f} (red)"
    return below(caption(title, 18), *rows)


def write_voxels(video: VideoStore, heat: FrameHeat, bounds: tuple[float, float], path: Path) -> None:
    """Write the voxels of a frame that have a score as a coloured point cloud (PLY), in the clip's world."""
    row = slice(heat.hit.row, heat.hit.row + 1)
    centres = world_centres(*(video.read(OCCUPANCY, name, row)[0] for name in ("origin", "grid_from_world")))
    held = np.isfinite(heat.heat.voxels)
    write_point_cloud(path, centres[held], heat_colours(heat.heat.voxels[held], bounds))


def write_point_cloud(path: Path, points: NDArray[np.float64], colours: Images) -> None:
    """Write points (p, 3) in metres with colours (p, 3) uint8 as a binary PLY."""
    import open3d

    cloud = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(points))
    cloud.colors = open3d.utility.Vector3dVector(colours / 255.0)
    open3d.io.write_point_cloud(path, cloud)


def _cell(video: VideoStore, heat: FrameHeat, bounds: tuple[float, float]) -> Image.Image:
    rgb = read_pictures(video, slice(heat.hit.row, heat.hit.row + 1))[0]
    text = f"{heat.hit.video_id} row {heat.hit.row}: {heat.hit.score:.3f}"
    return below(caption(text, 12), beside(picture_heat(rgb, heat.heat, bounds), grid_heat(heat.heat, bounds)))
