from pathlib import Path

import dagster as dg
import pytest

from assets import definitions
from assets.dataset.videos import PARTITIONS, PER_VIDEO, VIDEOS, video_assets
from assets.ui.shown import PREFIX, shown_page
from pipeline.settings import load_settings, resolve
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.video_source import parse_source
from pipeline.stages.base import Workbench
from pipeline.stages.registry import stages
from pipeline.store.store import Store
from tests.earlier import VIDEO, unpack_earlier_dataset


def test_every_stage_is_an_asset_partitioned_by_video_and_depends_on_the_stage_before():
    graph = definitions.resolve_asset_graph()
    names = list(stages())
    for before, name in zip([None, *names], names, strict=False):
        node = graph.get(dg.AssetKey(name))
        assert node.partitions_def is not None
        assert node.partitions_def.name == "videos"
        assert node.code_version == stages()[name].code_version
        assert {key.to_user_string() for key in node.parent_keys} == ({before} if before else set())


def test_checks_are_there():
    keys = {check.name for check in definitions.resolve_asset_graph().asset_check_keys}
    assert keys == {"frames_shape", "depth_share", "up_confidence", "label_histogram", "grid_shape"}


def test_assets_say_whose_they_are_what_they_are_kept_as_and_checks_know_their_video():
    graph = definitions.resolve_asset_graph()
    for name in stages():
        node = graph.get(dg.AssetKey(name))
        assert node.owners == ["team:youtube-occ"]
        assert node.kinds & {"zarr", "parquet", "mp4"}
    for key in graph.asset_check_keys:
        assert graph.get(key).partitions_def == VIDEOS


def materialized(workbench: Workbench) -> dg.ExecuteInProcessResult:
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(PARTITIONS, [workbench.video.video_id])
        return dg.materialize(
            video_assets(),
            resources={"workbench": workbench},
            instance=instance,
            partition_key=workbench.video.video_id,
            raise_on_error=False,
        )


def test_a_built_video_is_materialized_with_previews_versions_and_checks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    store = Store(unpack_earlier_dataset(tmp_path))
    workbench = Workbench(store.video(VIDEO), Catalog(store), resolve(dataset=store).settings)
    result = materialized(workbench)
    assert result.success
    made = {e.asset_key.to_user_string(): e for e in result.get_asset_materialization_events() if e.asset_key}
    assert list(made) == list(stages())
    for event in made.values():
        metadata = event.materialization.metadata
        assert metadata["reused"].value is True
        assert len(dg.serialize_value(event)) < 10_000, "the event log keeps every one of a million videos"
    for name in stages():
        address = f"/shown/videos/{VIDEO}/{name}.jpg"
        assert made[name].materialization.metadata["preview"].value == f"[![preview]({address})]({address})"
        assert shown_page(store, address.removeprefix(PREFIX)) == store.read_bytes("videos", VIDEO, f"{name}.jpg")
    shown = capsys.readouterr().out.splitlines()
    assert [line.split()[:4] for line in shown if "done" in line] == [
        [VIDEO, name, "done", "kept:"] for name in stages()
    ]
    versions = {n: e.materialization.tags["dagster/data_version"] for n, e in made.items()}  # type: ignore[index]
    assert versions["occupancy"] == store.video(VIDEO).attributes("occupancy")["fingerprint"]
    found = {check.check_name: check for check in result.get_asset_check_evaluations()}
    assert len(found) == sum(len(stage.checks) for stage in stages().values())
    assert all(check.passed for check in found.values())
    assert {check.partition for check in found.values()} == {VIDEO}
    assert {check.severity for check in found.values()} == {dg.AssetCheckSeverity.WARN}


def test_a_video_that_cannot_be_had_fails_with_its_code_and_stops_there(tmp_path: Path):
    store = Store(tmp_path)
    catalog = Catalog(store)
    (video_id,) = catalog.add([parse_source(str(tmp_path / "missing.mp4"))])
    result = materialized(Workbench(store.video(video_id), catalog, resolve(dataset=store).settings))
    assert not result.success
    failed = [event for event in result.all_events if event.is_step_failure]
    assert [event.step_key for event in failed] == ["video"]
    data = failed[0].step_failure_data
    assert data.user_failure_data is not None
    assert data.user_failure_data.metadata["error"].value == "DownloadGone"
    assert "missing.mp4 does not exist" in str(data.user_failure_data.description)


def test_no_run_waits_in_the_queue_for_a_graphics_card_that_its_profile_may_not_want():
    assert {asset.op.pool for asset in video_assets()} == {None}
    assert {next(iter(asset.group_names_by_key.values())) for asset in video_assets()} == {PER_VIDEO}


@pytest.mark.parametrize(
    ("profile", "shares"),
    [
        ("classic", {}),
        ("small", {"reconstruction": 1.0, "semantics": 0.5}),
        ("youtube_occ", {"indoor_clips": 0.1, "reconstruction": 1.0, "semantics": 0.5}),
        ("open", {"indoor_clips": 0.1, "reconstruction": 1.0, "semantics": 0.5}),
    ],
)
def test_the_backends_of_a_profile_say_which_stages_want_the_graphics_card(profile: str, shares: dict[str, float]):
    settings = load_settings(profile)
    wanted = {name: stage.resources_under(settings.of(stage)).gpu_share for name, stage in stages().items()}
    assert {name: share for name, share in wanted.items() if share} == shares


def test_a_backend_that_is_told_to_run_on_the_processor_wants_no_graphics_card():
    settings = load_settings("small", overrides={"semantics": {"san": {"device": "cpu"}}})
    semantics = stages()["semantics"]
    assert semantics.resources_under(settings.of(semantics)).gpu_share == 0
