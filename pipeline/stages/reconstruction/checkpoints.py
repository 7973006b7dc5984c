"""Reconstructions of single clips, kept in scratch until the video's group is written.

A killed run goes on after the last finished clip. Plain ``.npz`` without pickles, placed by rename.
"""

import zipfile
import zlib
from pathlib import Path

import numpy as np

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
        except (FileNotFoundError, zipfile.BadZipFile, zlib.error, EOFError, KeyError, ValueError):
            return False
        return True

    def save(self, clip_id: int, result: Reconstruction | ClipError) -> None:
        """Keep a clip's reconstruction, or the error that leaves it out."""
        if isinstance(result, ClipError):
            content = {"error": np.array([result.code, str(result)])}
        else:
            content = {name: getattr(result, name) for name in _ARRAYS} | {"notes": np.array(result.notes, np.str_)}
        with replacing(self._path(clip_id), durable=True) as draft, draft.open("wb") as file:
            np.savez(file, allow_pickle=False, **content)

    def load(self, clip_id: int) -> Reconstruction | LeftOut:
        """Return what ``save`` was given."""
        with np.load(self._path(clip_id), allow_pickle=False) as archive:
            if "error" in archive:
                code, detail = archive["error"].tolist()
                return LeftOut("reconstruction", clip_id, code, detail)
            arrays = {name: archive[name] for name in _ARRAYS}
            return Reconstruction(**arrays, notes=tuple(archive["notes"].tolist()))

    def _path(self, clip_id: int) -> Path:
        return self.folder / f"{clip_id}.npz"
