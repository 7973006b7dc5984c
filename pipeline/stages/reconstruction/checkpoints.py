"""Reconstructions of single clips, kept in scratch until the video's group is written.

A killed run goes on after the last finished clip. Plain ``.npz`` without pickles, placed by rename.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.array_files import read_npz
from models.errors import DamagedArrays
from pipeline.contract.errors import ClipError
from pipeline.contract.records import LeftOut, Reconstruction
from pipeline.stages.reconstruction.first_look import UNTOLD, FoundCameras, LensFit
from pipeline.store.atomic import replacing

_ARRAYS = ("intrinsics", "camera_to_world", "depth", "confidence", "registered")
_NUMBERS = ("probability_right", "log_scale", "log_scale_sigma")
_CAMERAS = "cameras."


class Kept(NamedTuple):
    """What is kept of a clip: what it says of its lens, its result, or cameras that depth is still to come of."""

    fit: LensFit
    result: Reconstruction | LeftOut | None
    cameras: FoundCameras | None


class ClipCheckpoints:
    """The finished clips of one video's reconstruction with one fingerprint."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def __contains__(self, clip_id: int) -> bool:
        """Tell whether a clip is done; what does not read back counts as not done."""
        try:
            self.look(clip_id)
        except (FileNotFoundError, DamagedArrays):
            return False
        return True

    def save(
        self,
        clip_id: int,
        result: Reconstruction | ClipError | None,
        fit: LensFit = UNTOLD,
        cameras: FoundCameras | None = None,
    ) -> None:
        """Keep a clip's reconstruction, or the error that leaves it out, and what it says of its lens.

        cameras: what the clip is to be gone on with, where ``result`` is still to come.
        """
        content: dict[str, NDArray[Any]] = {f"{_CAMERAS}{name}": array for name, array in (cameras or {}).items()}
        if isinstance(result, ClipError):
            content = {"error": np.array([result.code, str(result)])}
        elif result is not None:
            content = {name: getattr(result, name) for name in _ARRAYS} | {"notes": np.array(result.notes, np.str_)}
            content |= {name: np.array(getattr(result, name)) for name in _NUMBERS}
            if result.depth_source is not None:
                content["depth_source"] = result.depth_source
        with replacing(self._path(clip_id), durable=True) as draft, draft.open("wb") as file:
            np.savez(file, allow_pickle=False, **content, lens_fit=fit.as_array())

    def load(self, clip_id: int) -> Reconstruction | LeftOut:
        """Return what ``save`` was given; raises ``DamagedArrays`` and ``FileNotFoundError``."""
        result = self.look(clip_id).result
        if result is None:
            raise DamagedArrays(f"{self._path(clip_id)} is no reconstruction of a clip: it was not gone on with")
        return result

    def look(self, clip_id: int) -> Kept:
        """Return all that is kept of a clip; raises as ``load``."""
        archive = read_npz(self._path(clip_id))
        try:
            fit = LensFit.of_array(archive.pop("lens_fit"))
            cameras = {name.removeprefix(_CAMERAS): archive[name] for name in archive if name.startswith(_CAMERAS)}
            result = self._result(clip_id, archive) if len(archive) > len(cameras) else None
            return Kept(fit, result, cameras or None)
        except (KeyError, ValueError, TypeError, IndexError, OverflowError) as error:
            raise DamagedArrays(f"{self._path(clip_id)} is no reconstruction of a clip: {error}") from error

    def _result(self, clip_id: int, archive: Mapping[str, NDArray[Any]]) -> Reconstruction | LeftOut:
        if "error" in archive:
            code, detail = archive["error"].tolist()
            return LeftOut("reconstruction", clip_id, str(code), str(detail))
        arrays: dict[str, Any] = {name: archive[name] for name in _ARRAYS}
        notes = tuple(map(str, archive["notes"].tolist()))
        numbers: dict[str, Any] = {name: float(archive[name]) for name in _NUMBERS}
        source = archive.get("depth_source")
        if any(array.shape[:1] != arrays["registered"].shape for array in arrays.values()):
            raise DamagedArrays(f"{self._path(clip_id)} is no reconstruction of a clip: its arrays differ in length")
        return Reconstruction(**arrays, notes=notes, depth_source=source, **numbers)

    def _path(self, clip_id: int) -> Path:
        return self.folder / f"{clip_id}.npz"
