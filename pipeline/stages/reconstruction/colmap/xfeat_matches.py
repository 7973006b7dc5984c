"""Features and matches of XFeat, written into COLMAP's database in place of SIFT's."""

from contextlib import closing
from pathlib import Path

import numpy as np
import pycolmap
from numpy.typing import NDArray
from PIL import Image

from models.xfeat import PointFeatures, XFeat, mutual_neighbours
from pipeline.stages.reconstruction.colmap.settings import WalkSettings
from pipeline.stages.reconstruction.colmap.sparse_model import MASKS


def write_xfeat(path: Path, folder: Path, reader: pycolmap.ImageReaderOptions, settings: WalkSettings) -> None:
    """Write keypoints and mutual nearest neighbours of ``folder/frames``, whose names are their order.

    path: of the database, which is made. reader: of the one camera that took all. Pairs lie up to
    ``settings.xfeat_window`` pictures apart.
    """
    pictures = folder / "frames"
    network = XFeat(settings.xfeat_features)
    pycolmap.Database.open(path).close()
    pycolmap.import_images(path, pictures, pycolmap.CameraMode.SINGLE, options=reader)
    with closing(pycolmap.Database.open(path)) as database:
        _write(database, folder, network, settings)


def _write(database: pycolmap.Database, folder: Path, network: XFeat, settings: WalkSettings) -> None:
    images = sorted(database.read_all_images(), key=lambda image: image.name)
    found = [_features(network, folder, image.name) for image in images]
    for image, features in zip(images, found, strict=True):
        database.write_keypoints(image.image_id, features.pixels)
    for k, image in enumerate(images):
        for later in range(k + 1, min(k + 1 + settings.xfeat_window, len(images))):
            matches = mutual_neighbours(found[k].descriptors, found[later].descriptors)
            database.write_matches(image.image_id, images[later].image_id, matches)


def _features(network: XFeat, folder: Path, name: str) -> PointFeatures:
    """Return the features of a frame that lie in its mask, where there is one."""
    found, mask = network.features(_picture(folder / "frames" / name)), folder / MASKS / f"{name}.png"
    if not mask.exists():
        return found
    columns, rows = found.pixels.astype(int).T
    shown = _picture(mask)[rows, columns, 0] > 0
    return PointFeatures(found.pixels[shown], found.descriptors[shown])


def _picture(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))
