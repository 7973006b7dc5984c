from typing import Any

import pytest
from pydantic import ValidationError

from pipeline.sources.web.settings import WebSettings


def test_every_number_is_explained():
    assert all(field.description for field in WebSettings.model_fields.values())


def test_secrets_are_never_shown():
    settings = WebSettings.model_validate({"proxy": "http://u:very-secret@a.org", "alert_url": "https://very-secret/"})
    shown = f"{settings} {settings!r} {settings.model_dump()} {settings.model_dump_json()}"
    assert "very-secret" not in shown
    assert settings.proxy is not None
    assert settings.proxy.get_secret_value() == "http://u:very-secret@a.org"


def test_hosts_are_asked_gently_where_nobody_says_otherwise():
    settings = WebSettings()
    # yt-dlp's own advice for YouTube is 0.75 s between requests.
    assert settings.interval_s >= 0.75
    assert settings.per_host <= settings.parallel
    assert settings.pause_s <= settings.pause_max_s
    assert not settings.private_addresses


@pytest.mark.parametrize(
    "values",
    [
        {"interval_s": -1},
        {"parallel": 0},
        {"bytes_per_second": 10},
        {"tries_max": 0},
        {"patience_s": 0},
        {"cookies": 1},
    ],
)
def test_values_out_of_bounds_and_misspelt_names_are_refused(values: dict[str, Any]):
    with pytest.raises(ValidationError):
        WebSettings.model_validate(values)
