"""Settings of how the web is asked."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SecretStr


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
    proxy: SecretStr | None = Field(None, description="proxy for all requests, http:// or socks5://")
