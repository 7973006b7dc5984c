"""yt-dlp with its requests under guard: every hop is checked, paced and bounded.

Imported where it is used, since yt-dlp takes a second to load.
"""

import functools
import http.client
import io
import time
import urllib.request
from typing import Any
from urllib.parse import urlsplit

from yt_dlp import YoutubeDL
from yt_dlp.downloader import DashSegmentsFD, F4mFD, HlsFD, HttpFD, IsmFD, get_suitable_downloader
from yt_dlp.networking._urllib import HTTPHandler, ProxyHandler, RedirectHandler, UrllibRH
from yt_dlp.networking.common import Request, RequestDirector, Response
from yt_dlp.postprocessor.ffmpeg import FFmpegPostProcessor

from pipeline.contract.errors import DownloadTransient, ForbiddenAddress, UnwantedVideo
from pipeline.sources.web.entry_checks import check_pictures, check_ready
from pipeline.sources.web.guard import Guard, authority, checked, site
from pipeline.sources.web.hosts import Hosts
from pipeline.sources.web.settings import WebSettings
from pipeline.sources.web.warned import Warned
from pipeline.sources.web.ytdlp_options import load_plugins, named_addresses, youtube_options

BLOCK_BYTES = 1 << 16
OWN_DOWNLOADERS = (HttpFD, HlsFD, DashSegmentsFD, IsmFD, F4mFD)
"""Those whose every request, of a segment too, is one of ``GuardedRH``."""

NO_FFMPEG = "/nonexistent/no-ffmpeg"
"""Where yt-dlp looks for ffmpeg, whatever is installed."""

PROXY_PORTS = {"http": 80, "https": 443}


class WebClient(YoutubeDL):  # type: ignore[misc] # yt-dlp is not typed
    """A yt-dlp that asks the web guarded, rate-limited and bounded.

    Args:
        options: as of yt-dlp; what concerns the network comes from ``settings``.
        settings: rate limits, proxy, cookies, bounds.
        named: URLs that the user wrote down: their hosts may lie in private networks.
        hosts: rate limits shared with other processes; none where nothing else asks.
    """

    def __init__(
        self, options: dict[str, Any], settings: WebSettings, named: tuple[str, ...] = (), hosts: Hosts | None = None
    ) -> None:
        self._settings = settings
        self._hosts = hosts
        self._warned = Warned()
        load_plugins(settings)
        proxy = settings.proxy.get_secret_value() if settings.proxy else None
        proxies = [proxy] if proxy else urllib.request.getproxies().values()
        trusted = {authority(url) for url in (*named, *named_addresses(settings))} | {
            _proxy_authority(written) for written in proxies
        }
        self._guard = Guard(frozenset(trusted), settings.private_addresses)
        # yt-dlp's command line says so too: some of its parts look for ffmpeg without being given the options.
        FFmpegPostProcessor._ffmpeg_location.set(NO_FFMPEG)  # noqa: SLF001
        network = {**_network_options(settings, proxy), **youtube_options(settings), "logger": self._warned}
        super().__init__({**options, **network}, auto_init=True)

    @property
    def warnings(self) -> list[str]:
        """What yt-dlp warned of so far."""
        return self._warned.texts

    def write_debug(self, message: str, only_once: bool = False) -> None:  # noqa: ARG002 - as yt-dlp calls it
        """Keep what is said to developers and tells why films are missing."""
        self._warned.debug(message)

    def process_video_result(self, info_dict: dict[str, Any], download: bool = True) -> Any:
        """Go on with what was read of a page.

        Raises:
            NotYet, BrokenVideo, DownloadGone, ExtractorTrouble: there is no film in it, or not yet.
        """
        check_ready(info_dict, self._settings)
        if not self.params.get("ignore_no_formats_error"):
            check_pictures(info_dict, self.warnings)
        return super().process_video_result(info_dict, download=download)

    @functools.cached_property
    def _request_director(self) -> RequestDirector:
        handler = functools.partial(GuardedRH, guard=self._guard, settings=self._settings, hosts=self._hosts)
        return self.build_request_director([handler])

    def dl(self, name: str, info: dict[str, Any], *rest: Any, **options: Any) -> Any:
        """Transfer a file, by requests of ours alone.

        Raises:
            ForbiddenAddress: another program would have to ask the hosts, which looks at no address.
        """
        chosen = get_suitable_downloader(info, self.params)
        if chosen not in OWN_DOWNLOADERS:
            named = getattr(chosen, "FD_NAME", "another program")
            raise ForbiddenAddress(f"{info.get('protocol')} would be fetched by {named}, unguarded")
        return super().dl(name, info, *rest, **options)

    def open_page(self, url: str) -> Response:
        """Ask for a page or a feed; the answer is read with ``read``."""
        checked(url)
        return self.urlopen(Request(url))


class GuardedRH(UrllibRH):  # type: ignore[misc]
    """yt-dlp's handler of http(s), and of nothing else, with a guard at every hop."""

    _SUPPORTED_URL_SCHEMES = ("http", "https")
    RH_NAME = "guarded"

    def __init__(self, *, guard: Guard, settings: WebSettings, hosts: Hosts | None, **rest: Any) -> None:
        super().__init__(**rest)
        self._guard = guard
        self._settings = settings
        self._hosts = hosts

    def _create_instance(
        self, proxies: dict[str, str], cookiejar: Any, legacy_ssl_support: bool | None = None
    ) -> urllib.request.OpenerDirector:
        opener = urllib.request.OpenerDirector()
        context = self._make_sslcontext(legacy_ssl_support=legacy_ssl_support)
        for handler in (
            ProxyHandler(proxies),
            _GuardedHop(self._guard, self._hosts, context=context, source_address=self.source_address),
            urllib.request.HTTPCookieProcessor(cookiejar),
            urllib.request.UnknownHandler(),
            urllib.request.HTTPDefaultErrorHandler(),
            urllib.request.HTTPErrorProcessor(),
            RedirectHandler(),
        ):
            opener.add_handler(handler)
        opener.addheaders = []
        return opener

    def _send(self, request: Request) -> Response:
        response = super()._send(request)
        response.fp = _BoundedBody(response.fp, self._settings)
        return response


class _GuardedHop(HTTPHandler):  # type: ignore[misc]
    """Opens one hop of a request: the address is checked and the host's turn waited for."""

    def __init__(self, guard: Guard, hosts: Hosts | None, **rest: Any) -> None:
        super().__init__(**rest)
        self._guard = guard
        self._hosts = hosts

    def _make_conn_class(self, base: type[http.client.HTTPConnection], req: urllib.request.Request) -> type:
        url = req.get_full_url()
        checked(url)
        if self._hosts:
            self._hosts.wait_turn(site(url))
        return type("GuardedConnection", (_Guarded, super()._make_conn_class(base, req)), {"guard": self._guard})


class _Guarded(http.client.HTTPConnection):
    guard: Guard

    def connect(self) -> None:
        self._create_connection = self.guard.connect
        super().connect()


class _BoundedBody(io.RawIOBase):
    """The body of an answer: read in small pieces, so that neither a drip nor a flood goes unnoticed."""

    def __init__(self, body: Any, settings: WebSettings) -> None:
        super().__init__()
        self._body = body
        self._settings = settings
        self._since = time.monotonic()
        self._arrived = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._body, name)

    def read(self, amount: int | None = -1) -> bytes:
        """Read up to ``amount`` bytes, fewer where fewer have arrived, or the whole of a page."""
        if amount is not None and amount >= 0:
            return self._piece(amount)
        content = bytearray()
        while piece := self._piece(BLOCK_BYTES):
            content += piece
            if len(content) > self._settings.page_bytes_max:
                raise UnwantedVideo(f"a page holds more than {self._settings.page_bytes_max} bytes")
        return bytes(content)

    def close(self) -> None:
        """Close the connection."""
        self._body.close()
        super().close()

    def _piece(self, amount: int) -> bytes:
        piece: bytes = self._body.read1(amount) if hasattr(self._body, "read1") else self._body.read(amount)
        self._arrived += len(piece)
        passed = time.monotonic() - self._since
        if passed >= self._settings.patience_s:
            if self._arrived < passed * self._settings.bytes_per_second_min:
                raise DownloadTransient(f"the host sends only {self._arrived / passed:.0f} bytes a second")
            self._since, self._arrived = time.monotonic(), 0
        return piece


def _network_options(settings: WebSettings, proxy: str | None) -> dict[str, Any]:
    cookies = settings.cookies_file
    return {
        "proxy": proxy,
        # A copy in memory: yt-dlp writes cookies back, and several processes share the file.
        "cookiefile": io.StringIO(cookies.read_text()) if cookies else None,
        "ratelimit": settings.bytes_per_second,
        # Neither a playlist nor anything else is handed to a program that asks hosts by itself.
        "external_downloader": {"default": "native"},
        "hls_prefer_native": True,
        "ffmpeg_location": NO_FFMPEG,
        "cachedir": False,
        "quiet": True,
        "no_warnings": True,
        "noprogress": True,
    }


def _proxy_authority(written: str) -> tuple[str, int]:
    """Return host and port of a proxy, which the user named, in the settings or in the environment."""
    parts = urlsplit(written if "://" in written else f"http://{written}")
    return str(parts.hostname), parts.port or PROXY_PORTS.get(parts.scheme, 1080)
