"""Settings of the web as options of yt-dlp that concern YouTube: runtimes, clients, tokens, browsers, plugins."""

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

from yt_dlp.globals import all_plugins_loaded, plugin_dirs
from yt_dlp.plugins import load_all_plugins

from pipeline.contract.errors import SettingsError
from pipeline.sources.web.runtimes import named_runtimes
from pipeline.sources.web.settings import WebSettings

BROWSER = re.compile(
    r"(?P<name>[^+:]+)(\+(?P<keyring>[^:]+))?(:(?!:)(?P<profile>.+?))?(::(?P<container>.+))?", re.DOTALL
)
INSTALLED = "default"


def youtube_options(settings: WebSettings) -> dict[str, Any]:
    """Return the options; nothing is downloaded that would then be run."""
    browser = settings.cookies_browser if settings.cookies_file is None else None
    return {
        "js_runtimes": {name: {"path": path} for name, path in named_runtimes(settings).items()},
        "remote_components": (),
        "extractor_args": extractor_arguments(settings),
        "cookiesfrombrowser": browser_parts(browser) if browser else None,
    }


def extractor_arguments(settings: WebSettings) -> dict[str, dict[str, list[str]]]:
    """Return arguments by extractor and name.

    Raises:
        SettingsError: one is not written as EXTRACTOR:KEY=VALUE;KEY=VALUE. Values are secrets and not shown.
    """
    arguments: dict[str, dict[str, list[str]]] = defaultdict(dict)
    for secret in settings.extractor_args:
        name, colon, rest = secret.get_secret_value().partition(":")
        for written in filter(None, rest.split(";")):
            key, _, values = written.partition("=")
            plain = key.strip().lower().replace("-", "_")
            arguments[name.strip().lower()][plain] = [v.replace(r"\,", ",").strip() for v in _COMMA.split(values)]
        if not colon or not name.strip() or not rest:
            raise SettingsError("an entry of video.web.extractor_args is not EXTRACTOR:KEY=VALUE;KEY=VALUE")
    if settings.player_client:
        arguments["youtube"]["player_client"] = list(settings.player_client)
    return dict(arguments)


_COMMA = re.compile(r"(?<!\\),")


def named_addresses(settings: WebSettings) -> tuple[str, ...]:
    """Return addresses that the user wrote into arguments of extractors, as those of a provider of tokens."""
    values = (v for named in extractor_arguments(settings).values() for given in named.values() for v in given)
    return tuple(value for value in values if value.startswith(("http://", "https://")))


def browser_parts(written: str) -> tuple[str, str | None, str | None, str | None]:
    """Return name, profile, keyring and container of BROWSER[+KEYRING][:PROFILE][::CONTAINER]."""
    parts = BROWSER.fullmatch(written)
    if parts is None:
        raise SettingsError(f"video.web.cookies_browser: {written!r} is not BROWSER[+KEYRING][:PROFILE][::CONTAINER]")
    keyring = parts["keyring"].upper() if parts["keyring"] else None
    return parts["name"], parts["profile"], keyring, parts["container"]


def load_plugins(settings: WebSettings) -> None:
    """Load the plugins of yt-dlp that the user asks for; without them yt-dlp would load whatever is installed.

    Raises:
        SettingsError: a folder of plugins is missing.
    """
    wanted = list(settings.plugins)
    missing = [name for name in wanted if name != INSTALLED and not Path(name).expanduser().is_dir()]
    if missing:
        raise SettingsError(f"video.web.plugins names a folder that is not there: {missing[0]}")
    folders = [name if name == INSTALLED else str(Path(name).expanduser()) for name in wanted]
    if all_plugins_loaded.value and folders == plugin_dirs.value:
        return
    plugin_dirs.value = folders
    load_all_plugins()
