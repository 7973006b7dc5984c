"""Rendered views: exact, and rendered once."""

from pathlib import Path

import numpy as np

from training.studies.tour_views import TourViews


def test_views_are_rendered_once_and_show_exact_things(folder: Path):
    views = TourViews(2, folder / "views")
    rendered = [views[i] for i in range(2)]
    assert len(set(views.names)) == 2
    stored = sorted((folder / "views").iterdir())
    made = [path.stat().st_size for path in stored]
    again = TourViews(2, folder / "views")
    for index, sample in enumerate(rendered):
        assert np.array_equal(again[index].rgb, sample.rgb)
        assert again[index].check().name == sample.name
        assert len(np.unique(sample.regions)) > 3
        assert (sample.depth > 0).mean() > 0.5
        assert np.isin(np.unique(sample.labels), (*range(12), 255)).all()
        assert (sample.labels % 255 > 0).any()
    assert [path.stat().st_size for path in sorted((folder / "views").iterdir())] == made
