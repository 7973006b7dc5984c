"""What a query found as pictures and point clouds: heat over the picture, over the grid, and on its voxels."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.contract.records import Floats, Images
from pipeline.language.query import Answer, FrameHeat
from pipeline.language.voxels import world_centres
from pipeline.pictures.encode import jpeg
from pipeline.pictures.layout import below, beside, caption
from pipeline.store.groups import FRAMES, OCCUPANCY
from pipeline.store.store import Store
from pipeline.store.video import VideoStore

HEIGHT = 180
OPACITY = 0.6
CELLS_A_ROW = 2
MAX_BYTES = 4_000_000
NOTHING = (235, 235, 235)


def write_answer(store: Store, answer: Answer, query: str, folder: Path) -> list[Path]:
    """Write ``contact_sheet.jpg`` and a point cloud of voxels for every frame; returns the files, the sheet first.

    The clouds, ``01-<video_id>-<row>.ply``, are in metres in the clip's world.
    """
    folder.mkdir(parents=True, exist_ok=True)
    bounds = heat_bounds(answer)
    paths = [folder / "contact_sheet.jpg"]
    paths[0].write_bytes(jpeg(contact_sheet(store, answer, query), MAX_BYTES))
    for rank, heat in enumerate(answer.frames, start=1):
        paths.append(folder / f"{rank:02}-{heat.hit.video_id}-{heat.hit.row}.ply")
        write_voxels(store.video(heat.hit.video_id), heat, bounds, paths[-1])
    return paths


def contact_sheet(store: Store, answer: Answer, query: str) -> Image.Image:
    """Return the frames of an answer, best first, each as heat over its picture and over its grid from above."""
    bounds = heat_bounds(answer)
    cells = [_cell(store.video(heat.hit.video_id), heat, bounds) for heat in answer.frames]
    rows = [beside(*cells[start : start + CELLS_A_ROW]) for start in range(0, len(cells), CELLS_A_ROW)]
    title = f"{query}: cosine {bounds[0]:.3f} (blue) to {bounds[1]:.3f} (red)"
    return below(caption(title, 18), *rows)


def heat_bounds(answer: Answer) -> tuple[float, float]:
    """Return the lowest and the highest score of any pixel of the answer's frames, one scale for all pictures."""
    scores = [heat.pixels[np.isfinite(heat.pixels)] for heat in answer.frames]
    given = np.concatenate([np.zeros(0, np.float32), *scores])
    return (float(given.min()), float(given.max())) if given.size else (0.0, 1.0)


def heat_colours(scores: Floats, bounds: tuple[float, float]) -> Images:
    """Return the colours (..., 3) uint8 RGB of scores (...), from blue to red; light grey where there is none."""
    low, high = bounds
    share = np.clip((np.nan_to_num(scores, nan=low) - low) / max(high - low, 1e-9), 0, 1)
    levels = np.rint(share * 255).astype(np.uint8).reshape(-1, 1)
    colours = cv2.applyColorMap(levels, cv2.COLORMAP_TURBO)[:, 0, ::-1].reshape(*scores.shape, 3)
    return np.where(np.isfinite(scores)[..., None], colours, NOTHING).astype(np.uint8)


def picture_heat(rgb: Images, heat: FrameHeat, bounds: tuple[float, float]) -> Image.Image:
    """Return the picture (480, 640, 3) with the heat of its regions over it."""
    size = (round(HEIGHT * rgb.shape[1] / rgb.shape[0]), HEIGHT)
    picture = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    scores: Floats = np.asarray(cv2.resize(heat.pixels, size, interpolation=cv2.INTER_NEAREST), np.float32)
    opacity = np.where(np.isfinite(scores), OPACITY, 0.0)[..., None]
    return Image.fromarray((picture * (1 - opacity) + heat_colours(scores, bounds) * opacity).astype(np.uint8))


def grid_heat(heat: FrameHeat, bounds: tuple[float, float]) -> Image.Image:
    """Return the grid from above, every column in the colour of its hottest voxel; the camera looks up."""
    hottest = np.fmax.reduce(heat.voxels, axis=2)[:, ::-1].T
    return Image.fromarray(heat_colours(hottest, bounds)).resize((HEIGHT, HEIGHT), Image.Resampling.NEAREST)


def write_voxels(video: VideoStore, heat: FrameHeat, bounds: tuple[float, float], path: Path) -> None:
    """Write the voxels of a frame that have a score as a coloured point cloud (PLY), in the clip's world."""
    row = slice(heat.hit.row, heat.hit.row + 1)
    centres = world_centres(*(video.read(OCCUPANCY, name, row)[0] for name in ("origin", "grid_from_world")))
    held = np.isfinite(heat.voxels)
    write_point_cloud(path, centres[held], heat_colours(heat.voxels[held], bounds))


def write_point_cloud(path: Path, points: NDArray[np.float64], colours: Images) -> None:
    """Write points (p, 3) in metres with colours (p, 3) uint8 as a binary PLY."""
    import open3d

    cloud = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(points))
    cloud.colors = open3d.utility.Vector3dVector(colours / 255.0)
    open3d.io.write_point_cloud(path, cloud)


def _cell(video: VideoStore, heat: FrameHeat, bounds: tuple[float, float]) -> Image.Image:
    rgb = video.read(FRAMES, "rgb", slice(heat.hit.row, heat.hit.row + 1))[0]
    text = f"{heat.hit.video_id} row {heat.hit.row}: {heat.hit.score:.3f}"
    return below(caption(text, 12), beside(picture_heat(rgb, heat, bounds), grid_heat(heat, bounds)))
