"""Settings of how the web is asked."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

RuntimeName = Annotated[str, StringConstraints(pattern=r"^(deno|node|bun|quickjs)(:.+)?$")]
ClientName = Annotated[str, StringConstraints(pattern=r"^-?[a-z0-9_.]+$")]
BrowserName = Annotated[
    str, StringConstraints(pattern=r"^(brave|chrome|chromium|edge|firefox|opera|safari|vivaldi|whale)([+:].+)?$")
]


class WebSettings(BaseModel):
    """How hosts are asked and what is taken from them; secrets are never printed, logged or stored."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    interval_s: float = Field(
        0.75, ge=0, le=3600, description="seconds between two requests to a host; yt-dlp advises 0.75 for YouTube"
    )
    jitter: float = Field(0.5, ge=0, le=10, description="share of the interval that is added at random")
    parallel: int = Field(4, ge=1, le=256, description="videos fetched at once, over all hosts")
    per_host: int = Field(2, ge=1, le=64, description="videos fetched at once from one host")
    bytes_per_second: int | None = Field(None, ge=1024, description="fastest transfer of one video; none: no limit")
    bytes_per_second_min: int = Field(
        1024, ge=0, description="slowest transfer that is waited for, mean of patience_s seconds"
    )
    patience_s: float = Field(60, gt=0, le=3600, description="seconds over which a transfer must keep its least rate")
    page_bytes_max: int = Field(64 * 1024**2, ge=1024, description="largest page or feed read, bytes")
    row_group_bytes_max: int = Field(
        256 * 1024**2,
        ge=1024,
        description="memory that a row group of a list or manifest (one a video) in Parquet may take, bytes",
    )
    pause_s: float = Field(
        60, ge=0, le=86400, description="rest of a host that refuses, doubled each time; Retry-After may ask for more"
    )
    pause_max_s: float = Field(6 * 3600, ge=0, le=7 * 86400, description="longest rest of a host, seconds")
    retry_s: float = Field(300, ge=0, le=86400, description="rest of a video whose transfer failed, doubled each time")
    tries_max: int = Field(8, ge=1, le=1000, description="times that a host is asked for a video in vain")
    alert_after: int = Field(3, ge=1, description="refusals of a host in a row after which somebody is told")
    alert_url: SecretStr | None = Field(None, description="web hook that is sent {text: ...} about hosts that refuse")
    private_addresses: bool = Field(
        False, description="follow links and redirects into private networks; hosts of your own sources are allowed"
    )
    cookies_file: Path | None = Field(None, description="cookies of a browser, Netscape format; read, never written")
    cookies_browser: BrowserName | None = Field(
        None,
        description="browser of this machine whose cookies are read, BROWSER[+KEYRING][:PROFILE][::CONTAINER] as of "
        "yt-dlp; cookies_file goes first",
    )
    js_runtimes: tuple[RuntimeName, ...] = Field(
        ("deno",),
        description="what may run YouTube's scripts, NAME or NAME:PATH, the first that is there: deno (it alone keeps "
        "them from files and network), node, bun, quickjs",
    )
    player_client: tuple[ClientName, ...] = Field(
        (), description="clients that YouTube is asked as, such as default, tv, -web_safari; none: yt-dlp's own choice"
    )
    extractor_args: tuple[SecretStr, ...] = Field(
        (),
        description="arguments of yt-dlp's extractors, EXTRACTOR:KEY=VALUE;KEY=VALUE; hosts of addresses in them may "
        "lie in private networks",
    )
    plugins: tuple[str, ...] = Field(
        (),
        description="folders with plugins of yt-dlp, such as providers of PO tokens; default: those that are installed "
        "beside it. None are loaded where none are named",
    )
    announced_s: float = Field(
        86400,
        ge=60,
        le=30 * 86400,
        description="rest of a premiere or stream that does not say when it begins, seconds",
    )
    live_s: float = Field(
        6 * 3600, ge=60, le=30 * 86400, description="rest of a stream that runs or is no recording yet, seconds"
    )
    proxy: SecretStr | None = Field(None, description="proxy for all requests, http:// or socks5://")
