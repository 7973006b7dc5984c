"""One tour whose regions have embeddings, made once for all tests of this folder."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.language.text import SanText
from pipeline.stages.base import Workbench
from pipeline.stages.run import process_video
from pipeline.stages.semantics.settings import SanSettings
from tests.pipeline.small_tour import small_settings, small_workbench
from tests.pipeline.stages.semantics.tiny_san import cached_checkpoint, tiny_settings


@pytest.fixture(scope="package")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with cached_checkpoint(tmp_path_factory.mktemp("weights")) as path:
        yield path


@pytest.fixture(scope="package")
def spoken_tour(built_tour: Workbench, checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    """The small tour labelled by a small SAN. Do not change its groups: copy its folder."""
    folder = tmp_path_factory.mktemp("spoken") / "data"
    shutil.copytree(built_tour.video.files.root, folder)
    settings = small_settings(scene={"scale": "paper"}, semantics={"backend": "san", "san": tiny_settings(checkpoint)})
    workbench = replace(small_workbench(folder), settings=settings)
    list(process_video(workbench))
    return workbench


@pytest.fixture
def text(checkpoint: Path) -> SanText:
    return SanText(SanSettings.model_validate(tiny_settings(checkpoint)))
