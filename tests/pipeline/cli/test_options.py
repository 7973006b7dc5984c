from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli.app import command_line
from pipeline.cli.options import _profiles, _videos, flags, resolved, sources_naming, store_at
from pipeline.contract.errors import CorruptStore, SettingsError
from pipeline.settings import DEFAULT_PROFILE
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.entries import listed_sources
from pipeline.sources.video_source import parse_source
from pipeline.store.store import Store
from tests.earlier import VIDEO


def test_the_data_folder_is_that_of_the_flag_else_of_the_environment_else_here(monkeypatch: pytest.MonkeyPatch):
    assert store_at(None).root == str(Path.cwd() / "data")
    monkeypatch.setenv("YOUTUBE_OCC_DATA", "/elsewhere")
    assert store_at(None).root == "/elsewhere"
    assert store_at("/given").root == "/given"


def test_values_of_the_command_line_are_laid_over_its_file_over_its_profile(tmp_path: Path):
    file = tmp_path / "mine.yaml"
    file.write_text("{clips: {clip_min_s: 3, frames_min: 7}}")
    found = resolved(flags("small", file, ["clips.clip_min_s=4"]), Store(tmp_path / "data"))
    assert found.settings.profile == "small"
    assert (found.settings.clips.clip_min_s, found.settings.clips.frames_min) == (4, 7)
    assert found.origin("clips.clip_min_s") == "the command line"
    assert "mine.yaml" in str(found.origin("clips.frames_min"))


@pytest.mark.parametrize("value", ["clips", "clips.nothing=1", "clips.clip_min_s=long", "clips_min_s=1", "=3"])
def test_a_value_that_cannot_be_set_is_named(tmp_path: Path, value: str):
    with pytest.raises(SettingsError) as refused:
        resolved(flags(values=[value]), Store(tmp_path))
    assert value.partition("=")[0] in str(refused.value)


def test_a_profile_that_is_none_is_named_with_those_that_are(tmp_path: Path):
    with pytest.raises(SettingsError, match=r"large.*classic"):
        resolved(flags("large"), Store(tmp_path))


def test_the_dataset_at_hand_says_how_it_was_made_unless_somebody_else_does(
    data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    store = Store(data)
    assert resolved(flags(), store).settings.profile == "small"
    assert resolved(flags(), Store(tmp_path / "empty")).settings.profile == DEFAULT_PROFILE
    monkeypatch.setenv("YOUTUBE_OCC_PROFILE", "youtube_occ")
    assert resolved(flags(), store).settings.profile == "youtube_occ"
    assert resolved(flags("classic"), store).settings.profile == "classic"


def test_a_dataset_whose_index_is_damaged_is_named_and_not_taken_for_none(data: Path):
    (data / "dataset" / "index.parquet").write_bytes(b"PAR1")
    with pytest.raises(CorruptStore, match=r"index\.parquet"):
        resolved(flags(), Store(data))


def test_the_profile_of_the_sources_file_holds_for_its_videos(data: Path):
    Path("sources.yaml").write_text("{profile: classic, sources: [tour://5]}", encoding="utf-8")
    listed = listed_sources(None, required=False)
    assert resolved(flags(), Store(data), listed).settings.profile == "classic"
    catalog = Catalog(Store(data))
    assert sources_naming(parse_source("tour://5"), catalog) is not None
    assert sources_naming(parse_source("tour://6"), catalog) is None


def test_without_a_sources_file_no_source_is_listed(tmp_path: Path):
    assert sources_naming(parse_source("tour://5"), Catalog(Store(tmp_path))) is None


def test_a_sources_file_that_cannot_be_read_is_named(tmp_path: Path):
    Path("sources.yaml").write_text("{profile: [}", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"sources\.yaml"):
        sources_naming(parse_source("tour://5"), Catalog(Store(tmp_path)))


def test_profiles_and_videos_are_completed(data: Path, monkeypatch: pytest.MonkeyPatch):
    assert _profiles("y") == ["youtube_occ"]
    assert {"classic", "small"} <= set(_profiles(""))
    assert _videos("") == [], "there is no data folder here"
    monkeypatch.setenv("YOUTUBE_OCC_DATA", str(data))
    assert _videos("tour") == [VIDEO]
    assert _videos("film") == []
    assert _videos("tour", str(data.parent / "none")) == []


def test_a_shell_completes_the_videos_of_the_folder_that_the_line_names(data: Path):
    def completed(*words: object) -> list[str]:
        line = [str(word) for word in words]
        variables = {
            "_YOUTUBE_OCC_COMPLETE": "complete_bash",
            "COMP_WORDS": " ".join(line),
            "COMP_CWORD": str(len(line) - 1),
        }
        ended = CliRunner().invoke(command_line(), [], prog_name="youtube-occ", env=variables)
        return ended.output.split()

    for command in ("preview", "view", "status", "verify", "drop"):
        assert completed("youtube-occ", command, "--data", data, "tour") == [VIDEO], command
    assert completed("youtube-occ", "query", "x", "--data", data, "--video", "tour") == [VIDEO]
    assert completed("youtube-occ", "preview", "--stage", "o") == ["occupancy"]
