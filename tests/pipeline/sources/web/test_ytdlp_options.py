"""Settings for YouTube as yt-dlp takes them; plugins are loaded if somebody asks for them, and only then."""

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.contract.errors import SettingsError
from pipeline.sources.web.settings import WebSettings
from pipeline.sources.web.ytdlp_options import (
    browser_parts,
    extractor_arguments,
    load_plugins,
    named_addresses,
    youtube_options,
)

LOOK = """
import sys
from yt_dlp.globals import plugin_ies
from pipeline.sources.web.client import WebClient
from pipeline.sources.web.settings import WebSettings
WebClient({}, WebSettings(plugins=sys.argv[1:])).close()
print(sorted(plugin_ies.value))
"""


def settings(**web: object) -> WebSettings:
    return WebSettings.model_validate(web)


def plugin(folder: Path, name: str) -> None:
    place = folder / "yt_dlp_plugins" / "extractor"
    place.mkdir(parents=True)
    text = f"from yt_dlp.extractor.common import InfoExtractor\nclass {name}IE(InfoExtractor):\n    pass\n"
    (place / f"{name.lower()}.py").write_text(text)


def test_plugins_are_loaded_if_they_are_asked_for_and_not_because_they_are_installed(tmp_path: Path):
    plugin(tmp_path / "installed", "Installed")
    plugin(tmp_path / "folder" / "own", "Named")
    path = [str(tmp_path / "installed"), *sys.path]
    look = f"import sys; sys.path[:] = {path!r}\n{LOOK}"
    for named, loaded in (([], []), (["default"], ["InstalledIE"]), ([str(tmp_path / "folder")], ["NamedIE"])):
        command = [sys.executable, "-c", look, *named]
        assert subprocess.check_output(command, text=True).strip() == str(loaded)


def test_a_folder_of_plugins_that_is_missing_is_said(tmp_path: Path):
    with pytest.raises(SettingsError, match="nowhere"):
        load_plugins(settings(plugins=[str(tmp_path / "nowhere")]))


def test_arguments_are_read_as_on_yt_dlps_command_line():
    given = settings(extractor_args=["youtube:po_token=web.gvs+AbC,x;Formats=missing_pot", "other:a-b=1"])
    assert extractor_arguments(given) == {
        "youtube": {"po_token": ["web.gvs+AbC", "x"], "formats": ["missing_pot"]},
        "other": {"a_b": ["1"]},
    }
    assert extractor_arguments(settings(player_client=["tv", "-web"])) == {"youtube": {"player_client": ["tv", "-web"]}}


@pytest.mark.parametrize("written", ["youtube", ":a=secret", "youtube:"])
def test_arguments_that_cannot_be_read_are_refused_and_not_shown(written: str):
    with pytest.raises(SettingsError) as refused:
        extractor_arguments(settings(extractor_args=[written]))
    assert "secret" not in str(refused.value)


def test_the_address_of_a_provider_of_tokens_is_one_that_the_user_named():
    given = settings(extractor_args=["youtubepot-bgutilhttp:base_url=http://127.0.0.1:4416"])
    assert named_addresses(given) == ("http://127.0.0.1:4416",)
    assert "4416" not in f"{given!r} {given.model_dump_json()}"


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        ("firefox", ("firefox", None, None, None)),
        ("chrome:Profile 1", ("chrome", "Profile 1", None, None)),
        ("vivaldi+basictext:default", ("vivaldi", "default", "BASICTEXT", None)),
        ("firefox::Meta", ("firefox", None, None, "Meta")),
        ("firefox:default::Meta", ("firefox", "default", None, "Meta")),
    ],
)
def test_a_browser_is_named_as_on_yt_dlps_command_line(written: str, parts: tuple[str | None, ...]):
    assert browser_parts(written) == parts
    assert youtube_options(settings(cookies_browser=written))["cookiesfrombrowser"] == parts


def test_nothing_is_downloaded_that_would_be_run():
    options = youtube_options(settings(js_runtimes=["node:/opt/node", "deno"]))
    assert options["js_runtimes"] == {"node": {"path": "/opt/node"}, "deno": {"path": None}}
    assert not options["remote_components"]
