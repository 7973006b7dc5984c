"""Buckets that cannot be relied on are refused in one line, and what one host does another sees at once."""

import threading
import time
from pathlib import Path

import pytest

from pipeline.contract.errors import CredentialsRefused, SettingsError, WrittenMeanwhile, WrongClock
from pipeline.dataset.index import build_dataset
from pipeline.dataset.turns import writing
from pipeline.settings import DatasetSettings
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.web.hosts import Hosts
from pipeline.sources.web.settings import WebSettings
from pipeline.store.changes import changes_of
from pipeline.store.objects import ABSENT, Expected, changed
from pipeline.store.store import Store
from tests.cluster.conftest import Bucket


@pytest.mark.parametrize(
    ("fault", "measure", "kind", "line"),
    [
        ("unconditional", "", SettingsError, "this bucket ignores conditional writes .* name a bucket of a server"),
        ("ahead", "3600", WrongClock, "this machine's clock is 60 min behind that of s3://bucket/.*: set it"),
        ("ahead", "-3600", WrongClock, "this machine's clock is 60 min ahead of that of s3://bucket/.*: set it"),
    ],
)
def test_a_bucket_that_cannot_be_relied_on_is_refused_by_name(
    fault: str, measure: str, kind: type[Exception], line: str, bucket: Bucket
):
    store = Store(bucket.url)
    with bucket.having(fault, measure):
        with pytest.raises(kind, match=line) as told, store.video("tour-1").locked():
            pass
        assert bucket.url in str(told.value)
        assert "\n" not in str(told.value)
        with pytest.raises(kind, match=line):
            Catalog(store).note_read("somewhere", "rules")
        assert not store.exists("catalog")


def test_credentials_that_expire_while_a_video_is_held_are_told_and_lose_nothing(bucket: Bucket):
    store = Store(bucket.url)
    video = store.video("tour-1")
    with video.locked():
        video.write_json("one.json", {"whole": True})
        for use in (
            lambda: video.write_json("two.json", {}),
            lambda: store.video("tour-1").read_json("one.json"),
            lambda: video.remove("one.json"),
            lambda: Catalog(store).note_read("somewhere", "rules"),
        ):
            line = r"refuses this machine's credentials .* renew them"
            with bucket.having("expired"), pytest.raises(CredentialsRefused, match=line) as told:
                use()
            assert "\n" not in str(told.value)
        video.write_json("two.json", {"whole": True})
    assert store.names("videos", "tour-1") == ["one.json", "two.json"]


def test_objects_of_a_bucket_have_versions(bucket: Bucket):
    objects = Store(bucket.url).objects
    first = objects.put("notes/list", b"one", ABSENT)
    assert objects.put("notes/list", b"one", ABSENT) == first, "a write whose answer was lost is sent again"
    with pytest.raises(WrittenMeanwhile):
        objects.put("notes/list", b"two", ABSENT)
    second = objects.put("notes/list", b"two", Expected(first))
    with pytest.raises(WrittenMeanwhile):
        objects.put("notes/list", b"three", Expected(first))
    assert objects.get("notes/list") == (b"two", second)
    assert objects.listed("notes") == {"list": (3, second)}
    assert changed(objects, "notes/list", lambda before: (before or b"") + b"!") == b"two!"
    assert objects.clock_ahead_s() == pytest.approx(0, abs=30)


def test_a_host_that_runs_for_long_sees_what_another_one_writes(bucket: Bucket, tmp_path: Path):
    here, elsewhere = Store(bucket.url), Store(bucket.url, tmp_path / "elsewhere")
    here.video("tour-1").write_json("failure.json", {})
    assert here.video_ids() == ["tour-1"]
    assert not here.video("tour-2").exists("failure.json")
    with elsewhere.video("tour-2").locked():
        elsewhere.video("tour-2").write_json("failure.json", {})
        assert here.video("tour-2").is_held()
    assert here.video_ids() == ["tour-1", "tour-2"]
    assert here.video("tour-2").exists("failure.json")
    assert not here.video("tour-2").is_held()
    assert changes_of(here).epoch() == changes_of(elsewhere).epoch()
    seen = changes_of(here)
    assert seen.take() == {"tour-2"} == changes_of(here).pending()
    seen.done({"tour-2"})
    assert changes_of(elsewhere).pending() == set()
    assert here.names("changes") == [".epoch"], "nothing is left of what was looked at"


def test_what_changes_while_changes_are_looked_at_stays_noted(bucket: Bucket, tmp_path: Path):
    here, elsewhere = Store(bucket.url), Store(bucket.url, tmp_path / "elsewhere")
    with here.video("tour-1").locked():
        seen = changes_of(elsewhere)
        assert seen.take() == {"tour-1"}
        seen.done({"tour-1"})
        assert changes_of(here).pending() == {"tour-1"}, "it is still worked on"
    assert seen.take() == {"tour-1"}
    with here.video("tour-1").locked():
        pass
    seen.done({"tour-1"})
    assert changes_of(here).pending() == {"tour-1"}


def test_machines_are_one_guest_to_a_host(bucket: Bucket, tmp_path: Path):
    settings = WebSettings.model_validate({"jitter": 0, "interval_s": 50, "per_host": 1, "pause_s": 900})
    here, elsewhere = (Hosts.of(Store(bucket.url, tmp_path / name), settings) for name in ("a", "b"))
    here.wait_turn("a.org")
    assert elsewhere.state("a.org") == here.state("a.org")
    assert elsewhere._change("a.org", elsewhere._reserve).turn_at - here.state("a.org").turn_at == pytest.approx(0)
    assert here.state("a.org").turn_at - time.time() > 40
    elsewhere.refused("b.org", None)
    assert here.state("b.org").refusals == 1
    assert {state.site for state in here.states()} == {"a.org", "b.org"}
    entered = threading.Event()

    def visit() -> None:
        with elsewhere.slot("a.org"):
            entered.set()

    visitor = threading.Thread(target=visit)
    with here.slot("a.org"):
        visitor.start()
        assert not entered.wait(1.5)
    visitor.join()
    assert entered.is_set()


def test_a_dataset_is_written_by_one_machine_at_a_time(bucket: Bucket, tmp_path: Path):
    here, elsewhere = Store(bucket.url), Store(bucket.url, tmp_path / "elsewhere")
    summaries = []
    writers = [
        threading.Thread(target=lambda store=store: summaries.append(build_dataset(store, DatasetSettings())))
        for store in (here, elsewhere)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(summaries) == 2
    assert summaries[0] == summaries[1]


def test_a_refresh_that_changes_nothing_waits_for_nobody_and_writes_nothing(bucket: Bucket, tmp_path: Path):
    here, elsewhere = Store(bucket.url), Store(bucket.url, tmp_path / "elsewhere")
    summary = build_dataset(here, DatasetSettings())
    with writing(elsewhere), bucket.having("read_only"):
        before = len(bucket.requests())
        assert build_dataset(here, DatasetSettings()) == summary
        assert {line.split()[1] for line in bucket.requests()[before:]} == {"GET"}
    changes_of(elsewhere).note("tour-1")
    build_dataset(here, DatasetSettings())
    assert changes_of(elsewhere).pending() == set(), "it was looked at"
