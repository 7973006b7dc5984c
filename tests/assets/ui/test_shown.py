from pathlib import Path

import pytest

from assets.ui.shown import shown_page
from pipeline.store.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    for name in (
        "dataset/index.html",
        "videos/tour-1/view.html",
        "videos/tour-1/source.json",
        "videos/tour-1/scene.jpg",
        "secret.html",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"this is {name}", encoding="utf-8")
    return Store(str(tmp_path))


@pytest.mark.parametrize("path", ["dataset/index.html", "videos/tour-1/view.html", "videos/tour-1/scene.jpg"])
def test_pages_are_handed_out(store: Store, path: str):
    assert shown_page(store, path) == f"this is {path}".encode()


@pytest.mark.parametrize(
    "path",
    [
        "videos/tour-1/source.json",
        "videos/tour-2/view.html",
        "secret.html",
        "videos/../secret.html",
        "videos/tour-1/../../secret.html",
        "videos/tour-1/view.html\n",
        "/dataset/index.html",
        "dataset/../dataset/index.html",
        "",
    ],
)
def test_nothing_else_of_the_data_folder_is(store: Store, path: str):
    assert shown_page(store, path) is None
