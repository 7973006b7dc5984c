"""Probes against what is known of the optimum: gradient, another solver, order, and what noise can say."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime, minimize
from scipy.special import log_softmax

from training.errors import NotConverged
from training.probes import regression
from training.probes.regression import chosen, fit, row_weights


def drawn(rows: int = 600, seed: int = 0, noise: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Features (n, 4) float16 of classes 0, 2 and 5 around three centres, one feature far from unit size."""
    rng = np.random.default_rng(seed)
    labels = rng.choice([0, 2, 5], rows, p=[0.6, 0.3, 0.1]).astype(np.uint8)
    centres = {0: (0, 0, 0, 0), 2: (2, 0, 1, 0), 5: (0, 2, -1, 0)}
    features = np.array([centres[label] for label in labels.tolist()]) + noise * rng.standard_normal((rows, 4))
    return (features * [1, 1, 300, 1]).astype(np.float16), labels


def objective(flat: np.ndarray, features: np.ndarray, labels: np.ndarray, ridge: float) -> float:
    """The loss as it is written, with no block, no gradient and no thought of speed."""
    x = features.astype(np.float64)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    classes, own = np.unique(labels, return_inverse=True)
    weights = flat.reshape(len(classes), -1)
    logs = log_softmax(x @ weights[:, :-1].T + weights[:, -1], axis=1)[np.arange(len(x)), own]
    weight = row_weights(labels)
    return float(-(weight @ logs) / weight.sum() + ridge / 2 * (weights[:, :-1] ** 2).sum())


@pytest.mark.parametrize("ridge", [1e-4, 1e-2, 1.0])
def test_a_probe_lies_at_the_optimum_of_the_loss_as_it_is_written(ridge: float):
    features, labels = drawn()
    probe = fit(features, labels, ridge)
    assert probe.gradient < 1e-5
    slope = approx_fprime(probe.weights.ravel(), objective, 1e-6, features, labels, ridge)
    assert np.abs(slope).max() < 1e-5
    other = minimize(objective, np.zeros(15), args=(features, labels, ridge), method="BFGS", options={"gtol": 1e-6})
    assert objective(probe.weights.ravel(), features, labels, ridge) <= other.fun + 1e-9
    assert np.allclose(probe.weights[:, :-1], other.x.reshape(3, 5)[:, :-1], atol=1e-3 / ridge**0.5)


def test_what_can_be_told_apart_is_and_its_weights_stay_finite():
    features, labels = drawn(noise=0.05)
    probe = fit(features, labels, 1e-3)
    assert np.array_equal(probe.predict(features), labels)
    assert np.abs(probe.weights).max() < 20


def test_neither_order_nor_blocks_nor_start_change_the_answer(monkeypatch: pytest.MonkeyPatch):
    features, labels = drawn()
    probe = fit(features, labels, 1e-3)
    order = np.random.default_rng(1).permutation(len(labels))
    monkeypatch.setattr(regression, "BLOCK", 37)
    again = fit(features[order], labels[order], 1e-3, fit(features, labels, 1.0))
    assert np.allclose(again.weights, probe.weights, atol=1e-3)
    assert np.array_equal(again.predict(features), probe.predict(features))
    assert again.log_loss(features, labels) == pytest.approx(probe.log_loss(features, labels), abs=1e-7)


def test_units_of_features_do_not_matter():
    features, labels = drawn()
    scaled = features.astype(np.float64) * [8, 0.25, 0.5, 2] + [3, 0, 0, -1]
    assert np.allclose(fit(scaled, labels, 1e-2).weights, fit(features, labels, 1e-2).weights, atol=1e-3)


def test_features_of_noise_say_what_the_shares_of_classes_say():
    rng = np.random.default_rng(0)
    labels = drawn(6000)[1]
    noise = rng.standard_normal((6000, 8)).astype(np.float16)
    folds = np.arange(6000) % 4
    probe = chosen(noise, labels, folds, (1e-4, 1e-2, 1.0, 100.0))
    weight = row_weights(labels)
    shares = np.array([weight[labels == label].sum() for label in probe.classes]) / weight.sum()
    held = rng.standard_normal((6000, 8)).astype(np.float16)
    assert probe.ridge >= 1.0, "nothing is to be learned from it"
    assert np.allclose(np.exp(probe.log_probabilities(held)), shares, atol=0.03)
    assert set(probe.predict(held).tolist()) == {2}, "the class that weighs most"


def test_the_ridge_is_the_one_that_foretells_other_houses_best():
    features, labels = drawn(60, noise=2.0)
    wide = np.hstack([features, np.random.default_rng(2).standard_normal((60, 40))]).astype(np.float16)
    folds, ridges = np.arange(60) % 5, (1e-4, 1e-2, 1.0)
    losses = [
        sum(
            fit(wide[folds != k], labels[folds != k], ridge).log_loss(wide[folds == k], labels[folds == k])
            for k in range(5)
        )
        for ridge in ridges
    ]
    assert chosen(wide, labels, folds, ridges).ridge == ridges[int(np.argmin(losses))] > 1e-4


def test_a_class_that_was_not_learned_is_never_said_and_does_not_count_in_the_loss():
    features, labels = drawn()
    probe = fit(features[labels != 5], labels[labels != 5], 1e-2)
    assert probe.classes.tolist() == [0, 2]
    assert 5 not in probe.predict(features)
    assert np.isfinite(probe.log_loss(features, labels))


def test_a_feature_that_never_changes_does_no_harm():
    features, labels = drawn()
    still = np.hstack([features, np.full((len(features), 1), 7, np.float16)])
    assert np.allclose(fit(still, labels, 1e-2).weights[:, :4], fit(features, labels, 1e-2).weights[:, :4], atol=1e-4)


def test_features_that_are_not_finite_have_no_optimum():
    features, labels = drawn()
    features[3, 0] = np.nan
    with pytest.raises(NotConverged, match="finite"):
        fit(features, labels, 1e-2)


def test_a_search_cut_short_is_no_probe(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(regression, "ITERATIONS", 2)
    with pytest.raises(NotConverged, match="stopped at a gradient"):
        fit(*drawn(), 1e-3)


def test_rows_that_do_not_count_teach_nothing_and_others_count_by_their_share():
    features, labels = drawn()
    wrong = labels.copy()
    wrong[:300] = np.random.default_rng(1).permutation(labels[:300])
    importance = np.where(np.arange(600) < 300, 0.0, 1.0)
    right = fit(features, labels, 1e-2, importance=importance)
    taught = fit(features, wrong, 1e-2, importance=importance)
    assert np.allclose(taught.weights, right.weights, atol=1e-4)
    assert not np.allclose(fit(features, wrong, 1e-2).weights, right.weights, atol=0.1)
    alike = fit(features, labels, 1e-2, importance=np.full(600, 7.0))
    assert np.allclose(alike.weights, fit(features, labels, 1e-2).weights, atol=1e-4)
    folds = np.arange(600) % 3
    assert np.allclose(chosen(features, wrong, folds, [1e-2], importance).weights, right.weights, atol=1e-4)
