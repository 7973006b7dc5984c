"""Reconstructions of single clips, kept in scratch until the video's group is written.

A killed run goes on after the last finished clip. Plain ``.npz`` without pickles, placed by rename.
"""

from pathlib import Path

import numpy as np

from models.array_files import read_npz
from models.errors import DamagedArrays
from pipeline.contract.errors import ClipError
from pipeline.contract.records import LeftOut, Reconstruction
from pipeline.store.atomic import replacing

_ARRAYS = ("intrinsics", "camera_to_world", "depth", "confidence", "registered")


class ClipCheckpoints:
    """The finished clips of one video's reconstruction with one fingerprint."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def __contains__(self, clip_id: int) -> bool:
        """Tell whether a clip is done; what does not read back counts as not done."""
        try:
            self.load(clip_id)
        except (FileNotFoundError, DamagedArrays):
            return False
        return True

    def save(self, clip_id: int, result: Reconstruction | ClipError) -> None:
        """Keep a clip's reconstruction, or the error that leaves it out."""
        if isinstance(result, ClipError):
            content = {"error": np.array([result.code, str(result)])}
        else:
            content = {name: getattr(result, name) for name in _ARRAYS} | {"notes": np.array(result.notes, np.str_)}
            content["probability_right"] = np.array(result.probability_right)
        with replacing(self._path(clip_id), durable=True) as draft, draft.open("wb") as file:
            np.savez(file, allow_pickle=False, **content)

    def load(self, clip_id: int) -> Reconstruction | LeftOut:
        """Return what ``save`` was given; raises ``DamagedArrays`` and ``FileNotFoundError``."""
        archive = read_npz(self._path(clip_id))
        try:
            if "error" in archive:
                code, detail = archive["error"].tolist()
                return LeftOut("reconstruction", clip_id, str(code), str(detail))
            arrays = {name: archive[name] for name in _ARRAYS}
            notes = tuple(map(str, archive["notes"].tolist()))
            probability = float(archive["probability_right"])
        except (KeyError, ValueError, TypeError) as error:
            raise DamagedArrays(f"{self._path(clip_id)} is no reconstruction of a clip: {error}") from error
        if any(array.shape[:1] != arrays["registered"].shape for array in arrays.values()):
            raise DamagedArrays(f"{self._path(clip_id)} is no reconstruction of a clip: its arrays differ in length")
        return Reconstruction(**arrays, notes=notes, probability_right=probability)

    def _path(self, clip_id: int) -> Path:
        return self.folder / f"{clip_id}.npz"
