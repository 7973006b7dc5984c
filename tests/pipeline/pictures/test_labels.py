import numpy as np
import pytest

from pipeline.contract.classes import SemanticClass, palette
from pipeline.pictures.labels import label_overlay

from .colours import colour_of


def test_overlay_leaves_unknown_pixels_as_they_are():
    rgb = np.full((480, 640, 3), (10, 200, 90), np.uint8)
    labels = np.full((96, 128), SemanticClass.UNKNOWN, np.uint8)
    labels[:, :64] = SemanticClass.SOFA
    picture = np.asarray(label_overlay(rgb, labels, 240))
    assert tuple(picture[120, 300]) == (10, 200, 90)
    expected = 0.4 * np.array((10, 200, 90)) + 0.6 * np.array(colour_of(SemanticClass.SOFA))
    np.testing.assert_allclose(picture[120, 20], expected, atol=1)


def test_overlay_names_the_classes_it_shows_and_no_others():
    rgb, labels = np.zeros((480, 640, 3), np.uint8), np.full((96, 128), SemanticClass.UNKNOWN, np.uint8)
    bare = label_overlay(rgb, labels, 240)
    labels[:, :64], labels[:, 64:] = SemanticClass.SOFA, SemanticClass.BED
    legend = np.asarray(label_overlay(rgb, labels, 240))[:, bare.width :]
    shown = {label for label in SemanticClass if (legend == palette()[label]).all(axis=-1).sum() > 100}
    assert shown - {SemanticClass.EMPTY} == {SemanticClass.SOFA, SemanticClass.BED}


@pytest.mark.parametrize("height", [60, 300])
def test_an_overlay_is_as_high_as_asked_in_the_pictures_proportions(height: int):
    rgb, labels = np.zeros((480, 640, 3), np.uint8), np.full((96, 128), SemanticClass.UNKNOWN, np.uint8)
    assert label_overlay(rgb, labels, height).size == (height * 4 // 3, height)


def test_labels_are_enlarged_without_inventing_classes_between_them():
    rgb, labels = np.zeros((480, 640, 3), np.uint8), np.full((2, 2), SemanticClass.CEILING, np.uint8)
    labels[1] = SemanticClass.WALL  # between 1 and 3 lies the floor
    picture = np.asarray(label_overlay(rgb, labels, 240))[:, :320]
    expected = {tuple(int(0.6 * c) for c in colour_of(label)) for label in (SemanticClass.CEILING, SemanticClass.WALL)}
    assert {tuple(c) for c in np.unique(picture.reshape(-1, 3), axis=0).tolist()} == expected
