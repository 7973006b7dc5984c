import numpy as np

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
