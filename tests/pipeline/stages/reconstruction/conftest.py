"""A video of clips with a line each, and the backend that looks at them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipeline.geometry.distortion import Distortion
from pipeline.settings import load_settings
from pipeline.stages.backends import Backend, with_backends
from pipeline.stages.base import Workbench
from pipeline.stages.reconstruction.colmap.settings import ColmapSettings
from pipeline.stages.reconstruction.settings import ReconstructionSettings
from pipeline.store.store import Store
from tests.pipeline.stages.filling import workbench_of
from tests.pipeline.stages.reconstruction.colmap.clips import MakesClips, clips_of_all
from tests.pipeline.stages.reconstruction.measuring import Measuring, picture


@pytest.fixture(scope="session")
def tour_clip(tmp_path_factory: pytest.TempPathFactory) -> MakesClips:
    return clips_of_all(tmp_path_factory)


@pytest.fixture
def backend() -> Measuring:
    return Measuring()


@pytest.fixture
def bench(tmp_path: Path, backend: Measuring) -> Callable[..., Workbench]:
    """A stored video of clips, each with a lens and a brightness."""
    own = with_backends(
        "reconstruction", ReconstructionSettings, (Backend("measuring", ColmapSettings, lambda *_: backend),)
    )

    def made(*clips: tuple[Distortion, int]) -> Workbench:
        video = Store(tmp_path).video("a")
        with video.write_group("frames") as group:
            for clip_id, (lens, level) in enumerate(clips):
                group.append("rgb", np.repeat(picture(lens, level)[None], 2, 0))
                group.append("clip_id", np.full(2, clip_id, np.int32))
        settings = load_settings().model_copy(update={"reconstruction": own()})
        return Workbench(video, workbench_of(video).catalog, settings, wanted="0123")

    return made
