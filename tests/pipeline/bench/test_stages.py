import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pipeline.bench import stages as bench
from pipeline.bench.stages import ALLOWED, StageTime, as_json, peak_gib, rendering_minute, table
from pipeline.settings import resolve
from pipeline.sources.catalog.catalog import Catalog
from pipeline.stages.base import Workbench
from pipeline.stages.registry import stages
from pipeline.store.store import Store
from pipeline.tours.camera import intrinsics_of
from pipeline.tours.settings import TourSettings
from pipeline.tours.timeline import Timeline, TourShot
from pipeline.tours.tour import Tour
from tests.earlier import VIDEO, unpack_earlier_dataset
from tests.pipeline.tours.shapes import bare_house, standing

TIMES = [StageTime("rendering 60 s of tour", 90.0, 170.0, 180.0), StageTime("clips", 1.26, 2.0, None)]


def test_a_time_is_a_share_of_what_is_allowed_where_anything_is():
    assert [time.share for time in TIMES] == [0.5, None]


def test_times_are_a_table_with_the_peak_of_memory_below():
    lines = table(TIMES).splitlines()
    assert lines[2:4] == ["| rendering 60 s of tour | 90.0 | 170.0 | 180 | 0.50 |", "| clips | 1.3 | 2.0 |  |  |"]
    assert lines[-1].startswith("peak memory of one process: ")


def test_times_are_kept_as_json():
    content = json.loads(as_json(TIMES))
    assert [StageTime(**row) for row in content["times"]] == TIMES
    assert content["peak_gib"] > 0


def test_only_what_the_pipeline_does_is_allowed_time():
    assert set(ALLOWED) <= {"rendering 60 s of tour", *stages()}


def test_processor_seconds_count_children_too():
    code = "x = 0\nfor i in range(3_000_000): x += i"
    with bench._timed() as spent:
        subprocess.run([sys.executable, "-c", code], check=True)
    assert spent[1] > 0.02, "the child's processor time; clocks tick in hundredths of a second"


def test_the_peak_of_memory_is_in_gibibytes():
    held = np.ones(64 << 20, np.uint8)
    assert held.nbytes / 2**30 < peak_gib() < 1024


def test_a_stage_is_timed_under_its_name(tmp_path: Path):
    store = Store(unpack_earlier_dataset(tmp_path))
    workbench = Workbench(store.video(VIDEO), Catalog(store), resolve(dataset=store).settings)
    timed = [bench._time_stage(name, workbench) for name in ("video", "reconstruction")]
    assert [(time.name, time.allowed) for time in timed] == [("video", None), ("reconstruction", 90.0)]
    assert all(time.seconds >= 0 for time in timed)


def test_a_minute_is_what_its_frames_take_and_the_house_once(monkeypatch: pytest.MonkeyPatch):
    small = Tour(
        0,
        TourSettings(),
        bare_house(),
        Timeline((TourShot(0, "indoor", 0, 2),), ()),
        (standing(1, 1, 0.0),),
        intrinsics_of(70),
    )
    ticks = iter([0.0, 10.0, 100.0, 101.0])  # ten seconds for the house, one for two frames
    monkeypatch.setattr(Tour, "from_seed", lambda *_: small)
    monkeypatch.setattr(bench.time, "perf_counter", lambda: next(ticks))
    found = rendering_minute()
    assert found.seconds == pytest.approx(10 + 60 * 12 / 2)
    assert found.share == pytest.approx(370 / 180)
