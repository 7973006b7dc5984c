"""The films with known truth that lie in a folder, told by the files that lie in its folders."""

from collections.abc import Sequence
from pathlib import Path

from pipeline.contract.errors import SettingsError
from pipeline.quality.truth.film import TrueFilm
from pipeline.quality.truth.icl import icl_films
from pipeline.quality.truth.posed import UnwantedFilm
from pipeline.quality.truth.realestate10k import realestate10k_films
from pipeline.quality.truth.tum import tum_films

READERS = (realestate10k_films, icl_films, tum_films)

UNWANTED = {"outdoor_and_mixed": ("house",), "vggt_room": ()}
"""Folders of films that should be left out, and the files in them that show a room as well."""

LAYOUT = (
    "folders with ID.mp4 and ID.pose.txt (RealEstate10K), with video.mp4, camera-intrinsics.txt and frames/*.pose.txt "
    "(ICL-NUIM), or with video.mp4, frames/*.depth.png and truth_cam_poses.txt (TUM RGB-D)"
)


def films_below(folder: Path) -> dict[str, Sequence[TrueFilm]]:
    """Return the films of every folder below one, by the folder's name; folders without truth are passed over.

    Raises:
        SettingsError: nothing there has truth, or some of it cannot be read.
    """
    if not folder.is_dir():
        raise SettingsError(f"there is no folder {folder}: name one with {LAYOUT} by --truth")
    found: dict[str, Sequence[TrueFilm]] = {}
    for path in sorted(entry for entry in folder.iterdir() if entry.is_dir()):
        films = _films_of(path)
        if films:
            found[path.name] = films
    if not found:
        raise SettingsError(f"{folder} holds no film whose truth is known: it wants {LAYOUT}")
    return found


def _films_of(folder: Path) -> Sequence[TrueFilm]:
    if folder.name in UNWANTED:
        videos = (path for path in sorted(folder.glob("*.mp4")) if path.stem not in UNWANTED[folder.name])
        return [UnwantedFilm(path.stem, path) for path in videos]
    return next((films for reader in READERS if (films := reader(folder))), [])
