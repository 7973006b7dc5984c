import pytest

from pipeline.quality import QualityReport, tour_quality
from pipeline.stages.base import Workbench


@pytest.fixture(scope="session")
def report(built_tour: Workbench) -> QualityReport:
    return tour_quality(built_tour.video.files, [built_tour.video.video_id], built_tour.settings)
