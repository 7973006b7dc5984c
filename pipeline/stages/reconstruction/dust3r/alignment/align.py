"""Global alignment of pairwise pointmaps: one world, one camera per image, dense depth."""

import math
from dataclasses import replace
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.contract.errors import InconsistentReconstruction, TooFewRegistered
from pipeline.stages.reconstruction.dust3r.alignment.dense import dense_depth
from pipeline.stages.reconstruction.dust3r.alignment.graph import largest_part
from pipeline.stages.reconstruction.dust3r.alignment.normal_equations import Unknowns
from pipeline.stages.reconstruction.dust3r.alignment.observations import Observations, sample
from pipeline.stages.reconstruction.dust3r.alignment.records import Alignment, Known, PairPredictions
from pipeline.stages.reconstruction.dust3r.alignment.refine import Fit, evaluate, refine
from pipeline.stages.reconstruction.dust3r.alignment.settings import AlignmentSettings
from pipeline.stages.reconstruction.dust3r.alignment.start import initial_focal, initial_state
from pipeline.stages.reconstruction.dust3r.alignment.state import State
from pipeline.stages.reconstruction.zoom import is_steady_zoom, zoom_notes

_NOTHING_KNOWN = Known()

BETTER = 0.975
"""Cost with a focal length an image over that with one, below which the lens is said to zoom."""

Number = TypeVar("Number", np.float32, np.float64)


def align(predictions: PairPredictions, settings: AlignmentSettings, known: Known = _NOTHING_KNOWN) -> Alignment:
    """Find cameras and depth that agree with all pairs (DUSt3R section 3.3), keeping the largest linked part.

    Raises:
        TooFewRegistered: no trusted pair links two images.
        InconsistentReconstruction: values that are not finite, pairs that contradict each other, an impossible focal.
    """
    _check_finite(predictions)
    kept_images, kept_pairs = _linked(predictions, settings)
    part = predictions.subset(kept_images, kept_pairs)
    given = _subset_known(known, kept_images)
    height, width = predictions.confidence1.shape[1:]
    principal_point = known.principal_point or (width / 2, height / 2)
    seen = sample(part, principal_point, settings)
    began, ended = _fit(seen, given, settings)
    residual = _residual(seen, ended)
    _check_plausible(ended.state, residual, width, settings)
    depth, confidence = dense_depth(part, ended.state, principal_point, max(residual, settings.min_noise))
    depth[confidence < settings.min_confidence] = 0
    whole = _spread(kept_images, kept_pairs, ended.state, depth, confidence)
    notes = _notes(kept_images) + zoom_notes(ended.state.log_focal.exp().cpu().numpy())
    return replace(whole, start_cost=began.cost, cost=ended.cost, residual=residual, notes=notes)


def _fit(seen: Observations, known: Known, settings: AlignmentSettings) -> tuple[Fit, Fit]:
    """Return the start and the end: one focal length, or one an image where the lens zooms, and it explains more."""
    shared = _fit_from(initial_state(seen, known, shared_focal=settings.shared_focal), seen, known, settings)
    if not settings.shared_focal or known.focal is not None:
        return shared
    if not _zooms(initial_focal(seen, known, shared_focal=False), settings):
        return shared
    own = settings.model_copy(update={"shared_focal": False})
    freed = _fit_from(initial_state(seen, known, shared_focal=False), seen, known, own)
    agreed = [evaluate(seen, fit.state, freed[1].unit, settings.min_noise).cost for fit in (shared[1], freed[1])]
    return freed if _zooms(freed[1].state.log_focal.exp(), settings) and agreed[1] < BETTER * agreed[0] else shared


def _fit_from(start: State, seen: Observations, known: Known, settings: AlignmentSettings) -> tuple[Fit, Fit]:
    return refine(seen, start, _unknowns(known, seen, settings), settings)


def _zooms(focal: torch.Tensor, settings: AlignmentSettings) -> bool:
    return is_steady_zoom(focal.cpu().numpy(), settings.least_zoom)


def _check_finite(predictions: PairPredictions) -> None:
    if not len(predictions.edges):
        raise TooFewRegistered("there is no pair to align")
    for pair in range(len(predictions.edges)):
        maps = (predictions.points1, predictions.points2, predictions.confidence1, predictions.confidence2)
        if not all(np.isfinite(each[pair]).all() for each in maps):
            raise InconsistentReconstruction("the network gave values that are not finite: its weights are broken")
        predictions.release()


def _linked(predictions: PairPredictions, settings: AlignmentSettings) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Images (N,) and pairs (E,) of the largest part that trusted pairs hold together."""
    trust = np.array(
        [
            min(float(one.mean(dtype=np.float64)), float(two.mean(dtype=np.float64)))
            for one, two in zip(predictions.confidence1, predictions.confidence2, strict=True)
        ]
    )
    trusted = trust >= settings.min_pair_confidence
    predictions.release()
    images = largest_part(predictions.image_count, predictions.edges[trusted])
    if images.sum() < 2:
        raise TooFewRegistered(
            f"no two images see the same place: the best pair's mean confidence is {trust.max():.2f}, "
            f"less than {settings.min_pair_confidence:g}"
        )
    return images, trusted & images[predictions.edges].all(1)


def _subset_known(known: Known, images: NDArray[np.bool_]) -> Known:
    return replace(
        known,
        focal=None if known.focal is None else known.focal[images],
        camera_to_world=None if known.camera_to_world is None else known.camera_to_world[images],
    )


def _unknowns(known: Known, seen: Observations, settings: AlignmentSettings) -> Unknowns:
    """What is free: all that is not known; one pose is held where nothing else fixes the world."""
    free_pose = torch.ones(seen.image_count, dtype=torch.bool)
    free_focal = torch.ones(seen.image_count, dtype=torch.bool)
    if known.camera_to_world is not None:
        free_pose = ~torch.from_numpy(np.isfinite(known.camera_to_world).all((1, 2)))
    if known.focal is not None:
        free_focal = torch.from_numpy(~np.isfinite(known.focal))
        if settings.shared_focal:
            free_focal = free_focal.all().expand(seen.image_count)
    given = 0 if known.camera_to_world is None else int((~free_pose).sum())
    free_pose[0] &= given > 0
    device = seen.points.device
    return Unknowns(free_pose.to(device), free_focal.to(device), settings.shared_focal, scale_is_known=given > 1)


def _residual(seen: Observations, fit: Fit) -> float:
    depth = fit.depth[seen.target].clip(min=1e-9)
    return float((fit.residual.norm(dim=-1) / depth)[seen.weight > 0].median())


def _check_plausible(state: State, residual: float, width: int, settings: AlignmentSettings) -> None:
    if not residual <= settings.max_residual:  # nan is no agreement either
        raise InconsistentReconstruction(
            f"the pairs contradict each other: their median residual is {residual:.2f} of the depth"
        )
    view = 2 * np.degrees(np.arctan(width / 2 / state.log_focal.exp().cpu().numpy()))
    if not ((view >= settings.min_field_of_view) & (view <= settings.max_field_of_view)).all():
        raise InconsistentReconstruction(
            f"a field of view of {view.min():.0f} to {view.max():.0f} degrees is not credible"
        )


def _spread(
    images: NDArray[np.bool_],
    pairs: NDArray[np.bool_],
    state: State,
    depth: NDArray[np.float32],
    confidence: NDArray[np.float32],
) -> Alignment:
    """Put the rows of the aligned images at their places among all; costs and notes follow later."""

    def rows(kept: NDArray[np.bool_], values: NDArray[Number]) -> NDArray[Number]:
        whole = np.zeros((len(kept), *values.shape[1:]), values.dtype)
        whole[kept] = values
        return whole

    return Alignment(
        focal=rows(images, state.log_focal.exp().cpu().numpy()),
        camera_to_world=rows(images, state.camera_to_world.cpu().numpy()),
        depth=rows(images, depth),
        confidence=rows(images, confidence),
        aligned=images,
        pair_scale=rows(pairs, state.log_scale.exp().cpu().numpy()),
        start_cost=math.nan,
        cost=math.nan,
        residual=math.nan,
    )


def _notes(images: NDArray[np.bool_]) -> tuple[str, ...]:
    if images.all():
        return ()
    return (f"the pairs fall apart into several places; kept {images.sum()} of {len(images)} images",)
