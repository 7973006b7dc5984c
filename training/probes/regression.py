"""Multinomial logistic regression with a ridge, solved to the optimum.

Of given rows there is one answer, in any order::

    min over W, b:  sum_i w_i (-log softmax(W x_i + b)[y_i]) / sum_i w_i  +  ridge / 2 |W|^2

x are features standardised to mean 0 and deviation 1, w the weights that training gives to classes too (empty 0.05).
Only classes that occur are fitted, as the others' optimum lies at infinity.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax

from pipeline.contract.classes import SemanticClass
from training.errors import NotConverged
from training.tasks.losses import EMPTY_WEIGHT

BLOCK = 16_384
"""Rows that are worked on at once: features stay as small as they are cached."""
TOLERANCE = 1e-6
"""Largest entry of the gradient where the solver may stop; the loss itself is about 1."""
ITERATIONS = 20_000

Rows = NDArray[np.floating]
Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class LinearProbe:
    """Scores of classes, linear in features.

    classes: (K,) uint8, ascending. weights: (K, D + 1) float64 on standardised features, the last column the bias.
    mean, deviation: (D,) float64. gradient: largest entry of the loss's gradient at these weights.
    """

    classes: NDArray[np.uint8]
    weights: Matrix
    mean: Matrix
    deviation: Matrix
    ridge: float
    gradient: float

    def log_probabilities(self, features: Rows) -> Matrix:
        """Return log-probabilities (n, K) of features (n, D)."""
        x = (features.astype(np.float64) - self.mean) / self.deviation
        logits = x @ self.weights[:, :-1].T + self.weights[:, -1]
        return np.asarray(log_softmax(logits, axis=1), np.float64)

    def predict(self, features: Rows) -> NDArray[np.uint8]:
        """Return the most probable class (n,) of features (n, D)."""
        parts = [self.classes[self.log_probabilities(features[rows]).argmax(axis=1)] for rows in _blocks(features)]
        return np.concatenate(parts) if parts else np.zeros(0, np.uint8)

    def log_loss(self, features: Rows, labels: NDArray[np.uint8]) -> float:
        """Return the weighted mean loss of rows (n, D) with labels (n,), leaving out classes that are not scored."""
        known = np.isin(labels, self.classes)
        total = weight = 0.0
        for rows in _blocks(features):
            within = np.flatnonzero(known[rows]) + rows.start
            own = np.searchsorted(self.classes, labels[within])
            logs = self.log_probabilities(features[within])[np.arange(len(within)), own]
            weights = row_weights(labels[within])
            total, weight = total - float(weights @ logs), weight + float(weights.sum())
        return total / max(weight, 1e-12)


def fit(
    features: Rows,
    labels: NDArray[np.uint8],
    ridge: float,
    start: LinearProbe | None = None,
    importance: NDArray[np.floating] | None = None,
) -> LinearProbe:
    """Return the probe that is best for rows of features (n, D) with labels (n,).

    start: a probe of the same rows with another ridge, near which to begin; it changes the time, not the answer.
    importance: (n,) what rows count beside the weight of their class; all alike by default.

    Raises:
        NotConverged: the gradient did not fall to nothing, as with features that are not finite.
    """
    classes, own = np.unique(labels, return_inverse=True)
    mean, deviation = _moments(features)
    counted = row_weights(labels) if importance is None else row_weights(labels) * importance
    problem = _Problem(features, own, counted, len(classes), mean, deviation, ridge)
    begin = np.zeros((len(classes), features.shape[1] + 1)) if start is None else start.weights
    found = minimize(
        problem.loss,
        begin.ravel(),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": ITERATIONS, "maxfun": 2 * ITERATIONS, "maxcor": 30, "gtol": TOLERANCE, "ftol": 0.0},
    )
    gradient = float(np.abs(found.jac).max())
    if not gradient <= 10 * TOLERANCE:  # rounding may stop the last line search just above the tolerance
        raise NotConverged(
            f"a probe of {len(labels)} voxels stopped at a gradient of {gradient:g} after {found.nit} steps "
            f"({found.message}): take larger values of ridges, or look whether features are finite"
        )
    weights = found.x.reshape(begin.shape)
    return LinearProbe(classes.astype(np.uint8), weights, mean, deviation, ridge, gradient)


def chosen(
    features: Rows,
    labels: NDArray[np.uint8],
    folds: NDArray[np.integer],
    ridges: Sequence[float],
    importance: NDArray[np.floating] | None = None,
) -> LinearProbe:
    """Return the probe of all rows with the ridge that foretells the rows of a fold best from those of the others.

    folds: (n,), which fold a row belongs to, whole houses in one. ridges: candidates, of which the larger wins a tie.
    importance: (n,), of rows that are learned from; those that are held out count alike.
    """
    descending = sorted(ridges, reverse=True)
    losses, counts = np.zeros(len(descending)), np.ones(len(labels)) if importance is None else importance
    for fold in np.unique(folds).tolist():
        held = np.flatnonzero(folds == fold)
        kept = np.flatnonzero(folds != fold)
        probe = None
        for i, ridge in enumerate(descending):
            probe = fit(features[kept], labels[kept], ridge, probe, counts[kept])
            losses[i] += probe.log_loss(features[held], labels[held])
    return fit(features, labels, descending[int(losses.argmin())], importance=counts)


def row_weights(labels: NDArray[np.uint8]) -> Matrix:
    """Return what rows (n,) count by their label: empty ones 0.05, as in training."""
    return np.where(labels == SemanticClass.EMPTY, EMPTY_WEIGHT, 1.0)


@dataclass(frozen=True)
class _Problem:
    features: Rows
    labels: NDArray[np.intp]
    row_weights: Matrix
    classes: int
    mean: Matrix
    deviation: Matrix
    ridge: float

    def loss(self, flat: Matrix) -> tuple[float, Matrix]:
        """Return the loss and its gradient at weights (K * (D + 1),)."""
        weights = flat.reshape(self.classes, -1)
        penalised = np.hstack([weights[:, :-1], np.zeros((self.classes, 1))])
        loss, gradient = 0.0, np.zeros_like(weights)
        for rows in _blocks(self.features):
            x = (self.features[rows].astype(np.float64) - self.mean) / self.deviation
            logs = log_softmax(x @ weights[:, :-1].T + weights[:, -1], axis=1)
            own, weight = (np.arange(len(x)), self.labels[rows]), self.row_weights[rows]
            loss -= float(weight @ logs[own])
            excess = np.exp(logs)
            excess[own] -= 1
            excess *= weight[:, None]
            gradient[:, :-1] += excess.T @ x
            gradient[:, -1] += excess.sum(axis=0)
        total = self.row_weights.sum()
        loss = loss / total + 0.5 * self.ridge * float((penalised**2).sum())
        return loss, (gradient / total + self.ridge * penalised).ravel()


def _moments(features: Rows) -> tuple[Matrix, Matrix]:
    """Return mean and deviation (D,) of features (n, D); 1 for one that never changes."""
    sums = sum(features[rows].astype(np.float64).sum(axis=0) for rows in _blocks(features))
    mean = np.asarray(sums / len(features), np.float64)
    squares = sum(((features[rows].astype(np.float64) - mean) ** 2).sum(axis=0) for rows in _blocks(features))
    deviation = np.sqrt(np.asarray(squares / len(features), np.float64))
    return mean, np.where(deviation > 1e-9 * (np.abs(mean) + 1e-9), deviation, 1.0)


def _blocks(rows: Rows) -> Iterator[slice]:
    return (slice(first, min(first + BLOCK, len(rows))) for first in range(0, len(rows), BLOCK))
