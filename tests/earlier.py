"""A small dataset that release 0.1 made: tour 5, six frames of one clip, profile ``small``."""

import tarfile
from pathlib import Path

from tests.paths import FIXTURES

VIDEO = "tour-5"
FRAMES = 6


def unpack_earlier_dataset(folder: Path) -> Path:
    """Unpack it into ``folder/data``, beside the ``settings.yaml`` it was made with, and return ``folder/data``.

    Its profile has another indoor filter and another rule for the scale now: the file says which it was made with.
    """
    with tarfile.open(FIXTURES / "dataset_before_the_move.tar") as archive:
        checked = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}  # since Python 3.11.4
        archive.extractall(folder, **checked)  # noqa: S202 - it is ours
    with (folder / "settings.yaml").open("a", encoding="utf-8") as settings:
        settings.write("indoor_clips: {backend: small}\nscene: {scale: paper}\nreconstruction: {backend: colmap}\n")
    return folder / "data"
