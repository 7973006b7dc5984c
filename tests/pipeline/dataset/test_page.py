import json
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from pipeline.bench.refresh import made_up_store
from pipeline.dataset import summaries
from pipeline.dataset.contents import read_contents
from pipeline.dataset.index import build_dataset
from pipeline.dataset.page import INDEX_PAGE, keep_quality, write_dataset_page
from pipeline.dataset.summaries import DESCRIBED, SCHEMA, described
from pipeline.settings import DatasetSettings
from pipeline.store.groups import SCENE
from pipeline.store.index import DatasetSummary, read_summary
from pipeline.store.store import Store
from tests.earlier import VIDEO, unpack_earlier_dataset

HOSTILE = "</title><script>alert(1)</script><img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, DatasetSummary]:
    """A dataset of one tour whose title and licence were written by somebody hostile."""
    data = unpack_earlier_dataset(tmp_path_factory.mktemp("earlier"))
    notes = data / "videos" / VIDEO / "source.json"
    noted = json.loads(notes.read_text(encoding="utf-8"))
    notes.write_text(json.dumps({**noted, "title": HOSTILE, "licence": HOSTILE}), encoding="utf-8")
    store = Store(str(data))
    return store, build_dataset(store, DatasetSettings())


def page_of(built: tuple[Store, DatasetSummary]) -> str:
    return Path(write_dataset_page(*built)).read_text(encoding="utf-8")


def test_counts_classes_and_reasons_are_on_the_page(built: tuple[Store, DatasetSummary]):
    page, (_, summary) = page_of(built), built
    assert f"<b>{summary.frames}</b> frames</li>" in page
    unknown = summary.classes["unknown"].voxels / sum(found.voxels for found in summary.classes.values())
    assert f"<b>{unknown:.1%}</b> of all voxels unknown" in page
    occupied = sum(found.voxels for name, found in summary.classes.items() if name not in {"empty", "unknown"})
    wall = summary.classes["wall"]
    assert f"{wall.voxels / occupied:.1%}, in {wall.frames} frames" in page
    for reason in summary.counts():
        assert f"{reason.code}, by {reason.stage}" in page


def test_a_sample_leads_to_a_page_that_is_there(built: tuple[Store, DatasetSummary]):
    (link,) = re.findall(r'<a href="(\.\./[^"]*)"', page_of(built))
    target = Path(built[0].path("dataset")) / link
    assert "b-grids" in target.read_text(encoding="utf-8")


def test_reasons_have_sheets_of_pictures_that_are_made_once(built: tuple[Store, DatasetSummary]):
    store, summary = built
    told = {(entry.stage, entry.code) for entry in summary.left_out if entry.clip_id is not None}
    assert told
    links = re.findall(
        r'<a href="(rejects/[A-Za-z]+-[0-9a-f]{12}\.jpg)"><img alt="" src="data:image/jpeg', page_of(built)
    )
    assert len(links) == len(told)
    sheet = Path(store.path("dataset", links[0]))
    assert Image.open(sheet).width > 360
    before = sheet.stat().st_mtime_ns
    (sheet.parent / "Earlier-000000000000.jpg").touch()
    Path(store.path("dataset", "index.html")).unlink()  # else nothing has changed, and the page is left alone
    page_of(built)
    assert sheet.stat().st_mtime_ns == before
    assert len(list(sheet.parent.iterdir())) == len(links), "sheets of other clips are gone"


def test_words_of_others_run_nothing(built: tuple[Store, DatasetSummary]):
    page = page_of(built)
    assert "<script" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 2, "title and licence"
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    assert "unsafe" not in policy


def test_figures_are_shown_once_they_are_kept(built: tuple[Store, DatasetSummary]):
    assert "nothing can be said" in page_of(built)
    assert "How sure these sizes are is not known" in page_of(built)
    rows = [{"stage": "occupancy", "name": "IoU", "value": "0.412", "target": ">= 0.45", "reached": False}]
    keep_quality(built[0], rows)
    assert "<td>IoU</td><td>0.412</td><td>&gt;= 0.45</td><td>no</td>" in page_of(built)


def test_a_page_that_shows_the_same_is_not_drawn_again(built: tuple[Store, DatasetSummary]):
    page = Path(write_dataset_page(*built))
    text = page.read_text(encoding="utf-8")
    changed = text.replace("<h1>Dataset", "<h1>Kept")
    page.write_text(changed, encoding="utf-8")
    write_dataset_page(*built)
    assert page.read_text(encoding="utf-8") == changed, "its mark says that it shows all this"
    keep_quality(built[0], [{"stage": "s", "name": "n", "value": "1", "target": "", "reached": None}])
    write_dataset_page(*built)
    assert "<h1>Dataset" in page.read_text(encoding="utf-8")


def test_a_video_is_read_once_and_again_when_it_was_made_anew(built: tuple[Store, DatasetSummary]):
    store, _ = built
    contents = read_contents(store)
    assert contents is not None
    (row,) = described(store, contents).to_pylist()
    assert (row["video_id"], row["title"]) == (VIDEO, HOSTILE)
    assert row["clip_frames"] == [6]
    assert 1 < row["camera_height"][0] < 2
    assert (row["scale_sigma"], row["scale_cues"]) == ([None], [""]), "made by an earlier release"
    assert row["ceiling_height"] == [None], "which took all ceilings for equally high"
    assert sum(row["depth"]) > 10_000
    before = Path(store.path(*DESCRIBED)).stat().st_mtime_ns
    described(store, contents)
    assert Path(store.path(*DESCRIBED)).stat().st_mtime_ns == before
    other = contents.set_column(1, "fingerprint", pa.array(["other"]))
    assert described(store, other)["fingerprint"].to_pylist() == ["other"]


def test_heights_are_those_that_were_measured_above_the_floor_of_the_clip(tmp_path: Path):
    """A clip upstairs stands above z = 0, and its camera is as high above its own floor as anybody's."""
    data = unpack_earlier_dataset(tmp_path)
    store = Store(str(data))
    video = store.video(VIDEO)
    stored = {name: video.read(SCENE, name) for name in ("camera_to_world", "registered", "scale_source", "depth")}
    cameras = stored["camera_to_world"].copy()
    cameras[:, 2, 3] += 2.7
    n = len(cameras)
    heights = {"camera_height": np.full(n, 1.47, np.float32), "ceiling_height": np.full(n, 2.53, np.float32)}
    with video.write_group(SCENE) as group:
        for name, values in {**stored, "camera_to_world": cameras, **heights}.items():
            group.append(name, values)
    (row,) = described(store, pa.table({"video_id": [VIDEO], "fingerprint": ["new"]})).to_pylist()
    assert row["camera_height"] == pytest.approx([1.47])
    assert row["ceiling_height"] == pytest.approx([2.53])


def test_videos_that_cannot_be_read_are_counted_and_come_after_those_never_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(summaries, "MOST_NEW", 20)
    store = made_up_store(tmp_path, 30, frames=2)
    summary = read_summary(store)
    assert summary is not None
    page = Path(write_dataset_page(store, summary)).read_text(encoding="utf-8")
    assert "30 videos are not described below yet" in page
    assert store.read_table(*DESCRIBED).num_rows == 20
    write_dataset_page(store, summary)
    assert store.read_table(*DESCRIBED).num_rows == 30, "those never tried first"


def test_24_of_many_videos_are_samples_and_the_page_stays_small(tmp_path: Path):
    store = made_up_store(tmp_path, 300, frames=2)
    summary, contents = read_summary(store), read_contents(store)
    assert summary is not None
    assert contents is not None
    store.write_table(made_up_descriptions(contents), *DESCRIBED)
    page = Path(write_dataset_page(store, summary)).read_text(encoding="utf-8")
    assert page.count("cannot be read at the moment") == 24, "spread evenly; of these made-up videos there is nothing"
    assert "not described" not in page
    assert "median 10%" in page, "of the clips whose scale has a deviation"
    assert "In 7 of 300 clips two cues" in page, "of those of which cues are known"
    assert "the ceiling above the floor: median 2.51 m, of 300 clips" in page, "of those that see one"
    cues = page[page.index("Cues that it was read from") :]
    assert re.findall(r">(floor|ceiling)</th>.*?<td>(\d+) clips", cues) == [("floor", "300"), ("ceiling", "293")]
    assert "others</td>" in page, "of 300 uploaders the rarest are counted together"
    assert len(page) < 200_000
    assert Path(store.path(*INDEX_PAGE)).exists()


def made_up_descriptions(contents: pa.Table) -> pa.Table:
    draw = np.random.default_rng(0)
    return pa.Table.from_pylist(
        [
            {
                "video_id": video_id, "fingerprint": fingerprint, "title": f"A house {n}",
                "uploader": f"Somebody {n % 2000}", "licence": "CC-BY-4.0", "clip_frames": [10, 12],
                "clip_seconds": draw.uniform(2, 9, 2).tolist(), "camera_height": draw.normal(1.5, 0.1, 2).tolist(),
                "ceiling_height": [2.51, None],
                "scale_source": ["floor_to_ceiling", "camera_height"], "scale_sigma": [0.1, None],
                "scale_cues": ["floor+disagreeing" if n < 7 else "floor+ceiling", ""],
                "depth": draw.integers(0, 9999, 24).tolist(),
            }
            for n, (video_id, fingerprint) in enumerate(
                zip(contents["video_id"].to_pylist(), contents["fingerprint"].to_pylist(), strict=True)
            )
        ],
        SCHEMA,
    )  # fmt: skip
