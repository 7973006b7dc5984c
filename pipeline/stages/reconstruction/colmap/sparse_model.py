"""What structure from motion hands to the dense stage: one camera, its poses and the points they saw."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.array_files import read_npz
from models.errors import DamagedArrays
from pipeline.contract.arrays import Float64s, Int64s
from pipeline.stages.reconstruction.first_look import UNTOLD

BETTER, CLEARLY_BETTER = 0.975, 0.9
"""Reprojection error of pictures that a zoom was taken out of over that of those with it, where there is one; and where
frames ask for one that explains no more than noise: cameras that are stuck gain far more."""

SURELY_ASKED = 4.0
"""F statistic of each number of a zoom that is asked for, from which on it is more than noise: two standard errors."""

MASKS = "masks"
"""Folder of pictures that are black where a frame beside them shows nothing."""


@dataclass(frozen=True)
class SparseModel:
    """Cameras and points of a clip of n frames, up to scale, in an arbitrary world frame.

    intrinsics: (3, 3), pixels of the 640x480 picture; focal lengths of a frame are ``zoom`` times as long.
    zoom: (n,), 1 for all frames unless the lens zooms. zoom_asked: (n,), a zoom that the frames ask for and that these
        cameras do not have, 1 for all frames where there is none. bent_error: mean reprojection error that a lens
        which bends leaves instead of it, pixels; nan where there is none. zoom_statistic: F of each number of that
        zoom, 1 where it explains no more than noise, 0 where there is none.
    camera_to_world: (n, 4, 4), zeros where not registered.
    registered: (n,) bool.
    points: (m, 3), world frame.
    observed_frame, observed_point: (k,) int64; frame ``observed_frame[i]`` sees point ``observed_point[i]``.
    observed_pixel: (k, 2), where it sees it; a zoom is taken out.
    reprojection_error: mean over observations, pixels.
    halves_focal: (2,), focal length of the first and of the second half of the frames when each is adjusted alone,
        pixels; nan where a half is too short to tell.
    halves_rotation: (2,), largest change of a relative rotation within each half when adjusted alone, degrees.
    model_sizes: registered frames of every model the clip fell into, largest first.
    parallax: how far matches move beyond what any turn of the camera explains, pixels; nan where nothing matched.
    lens_fit: (12,), what the clip says of its lens, as ``LensFit.as_array`` writes it.
    prior: focal length that mapping started from, picture widths.
    turns: (n - 1,), by how much the camera turns to the next frame as the two pictures alone tell, degrees; nan where
        they do not.
    signs: signs of doubt by name (``evidence.py``) that need more than the model: its matches, or another model.
    """

    intrinsics: Float64s
    zoom: Float64s
    zoom_asked: Float64s
    bent_error: float
    zoom_statistic: float
    camera_to_world: Float64s
    registered: NDArray[np.bool_]
    points: Float64s
    observed_frame: NDArray[np.int64]
    observed_point: NDArray[np.int64]
    observed_pixel: Float64s
    reprojection_error: float
    halves_focal: Float64s
    halves_rotation: Float64s
    model_sizes: tuple[int, ...]
    parallax: float
    prior: float
    turns: Float64s
    signs: Mapping[str, float]
    lens_fit: Float64s = field(default_factory=UNTOLD.as_array)

    @classmethod
    def empty(cls, frame_count: int, parallax: float) -> "SparseModel":
        """Return the model of a clip in which no camera was found."""
        return cls(
            intrinsics=np.zeros((3, 3)),
            zoom=np.ones(frame_count),
            zoom_asked=np.ones(frame_count),
            bent_error=float("nan"),
            zoom_statistic=0.0,
            camera_to_world=np.zeros((frame_count, 4, 4)),
            registered=np.zeros(frame_count, bool),
            points=np.zeros((0, 3)),
            observed_frame=np.zeros(0, np.int64),
            observed_point=np.zeros(0, np.int64),
            observed_pixel=np.zeros((0, 2)),
            reprojection_error=float("nan"),
            halves_focal=np.full(2, np.nan),
            halves_rotation=np.full(2, np.nan),
            model_sizes=(),
            parallax=parallax,
            prior=float("nan"),
            turns=np.full(max(frame_count - 1, 0), np.nan),
            signs={},
        )

    def save(self, path: Path) -> None:
        """Write the model as plain ``.npz``."""
        np.savez(path, allow_pickle=False, **self.as_arrays())

    @classmethod
    def load(cls, path: Path) -> "SparseModel":
        """Read what ``save`` wrote; nothing in the file is executed. Raises ``DamagedArrays``."""
        try:
            return cls.of_arrays(read_npz(path))
        except (KeyError, ValueError, TypeError, OverflowError) as error:
            raise DamagedArrays(f"{path} is no sparse model: {error}") from error

    def as_arrays(self) -> dict[str, NDArray[Any]]:
        """Return the model as arrays by name."""
        values = {field.name: np.asarray(getattr(self, field.name)) for field in fields(self) if field.name != "signs"}
        names, signs = list(self.signs), list(self.signs.values())
        return values | {"sign_names": np.array(names, np.str_), "sign_values": np.array(signs, np.float64)}

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "SparseModel":
        """Return what ``as_arrays`` gave; raises ``KeyError``, ``ValueError``, ``TypeError`` or ``OverflowError``."""
        values = {field.name: arrays[field.name] for field in fields(cls) if field.name != "signs"}
        names, signs = arrays["sign_names"].tolist(), arrays["sign_values"].tolist()
        plain: dict[str, Any] = {
            "reprojection_error": float(values["reprojection_error"]),
            "parallax": float(values["parallax"]),
            "bent_error": float(values["bent_error"]),
            "zoom_statistic": float(values["zoom_statistic"]),
            "prior": float(values["prior"]),
            "signs": dict(zip(map(str, names), signs, strict=True)),
            "model_sizes": tuple(int(size) for size in values["model_sizes"]),
        }
        return cls(**values | plain)

    @property
    def asks_for_zoom(self) -> bool:
        """Whether frames ask for a zoom that these cameras do not have, and surely so."""
        return bool(np.any(self.zoom_asked != 1)) and self.zoom_statistic > SURELY_ASKED

    def error_with_zoom(self, is_asked: bool) -> float:
        """Return the pixels of reprojection error below which cameras with a zoom count instead.

        They must explain more than these do, also with a lens that bends. is_asked: whether a zoom surely is asked for.
        """
        return (BETTER if is_asked else CLEARLY_BETTER) * float(np.fmin(self.reprojection_error, self.bent_error))

    def alone(self) -> NDArray[np.bool_]:
        """Return as (n,) the registered frames that share no point with another one: nothing ties them to the rest."""
        seen = np.unique(np.stack([self.observed_point, self.observed_frame]), axis=1)
        shared = np.bincount(seen[0], minlength=len(self.points)) > 1
        tied = np.bincount(seen[1][shared[seen[0]]], minlength=len(self.registered)) > 0
        return np.asarray(self.registered & ~tied)

    def without(self, frames: NDArray[np.bool_]) -> "SparseModel":
        """Return the model without the cameras of ``frames`` (n,), their observations, and points nobody else sees."""
        kept = ~frames[self.observed_frame]
        seen, observed_point = np.unique(self.observed_point[kept], return_inverse=True)
        return replace(
            self,
            camera_to_world=np.where(frames[:, None, None], 0, self.camera_to_world),
            registered=self.registered & ~frames,
            points=self.points[seen],
            observed_frame=self.observed_frame[kept],
            observed_point=observed_point,
            observed_pixel=self.observed_pixel[kept],
        )

    def only(self, frames: Int64s) -> "SparseModel":
        """Return the model of some of its frames (m,), rising, and of the points that two of them see."""
        place = np.full(len(self.registered), -1)
        place[frames] = np.arange(len(frames))
        own = place[self.observed_frame] >= 0
        count = np.bincount(self.observed_point[own], minlength=len(self.points))
        kept = own & (count[self.observed_point] > 1)
        seen, observed_point = np.unique(self.observed_point[kept], return_inverse=True)
        return replace(
            self,
            zoom=self.zoom[frames],
            zoom_asked=self.zoom_asked[frames],
            camera_to_world=self.camera_to_world[frames],
            registered=self.registered[frames],
            points=self.points[seen],
            observed_frame=place[self.observed_frame[kept]],
            observed_point=observed_point,
            observed_pixel=self.observed_pixel[kept],
            turns=np.full(max(len(frames) - 1, 0), np.nan),
        )

    def frame_intrinsics(self) -> Float64s:
        """Return the intrinsics (n, 3, 3) of every frame."""
        focal = np.ones((len(self.zoom), 3, 3))
        focal[:, (0, 1), (0, 1)] = self.zoom[:, None]
        return self.intrinsics * focal

    def depths(self) -> Float64s:
        """Return the z-depth (k,) of every observation in the frame that made it."""
        pose = self.camera_to_world[self.observed_frame]
        ray = self.points[self.observed_point] - pose[:, :3, 3]
        return np.asarray(np.einsum("ki,ki->k", ray, pose[:, :3, 2]))

    def triangulation_angles(self) -> Float64s:
        """Return for every point (m,) the angle between its first and its last ray, degrees."""
        ray = self.camera_to_world[self.observed_frame, :3, 3] - self.points[self.observed_point]
        ray /= np.linalg.norm(ray, axis=1, keepdims=True)
        order = np.lexsort((self.observed_frame, self.observed_point))
        starts = np.searchsorted(self.observed_point[order], np.arange(len(self.points)))
        ends = np.searchsorted(self.observed_point[order], np.arange(len(self.points)), side="right") - 1
        chord = np.linalg.norm(ray[order[starts]] - ray[order[ends]], axis=1)
        return np.asarray(np.degrees(2 * np.arcsin(np.clip(chord / 2, 0, 1))))
