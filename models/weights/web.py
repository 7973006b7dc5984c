"""Asking a server for a file: proxies of the environment, another hub and its token, redirects hop by hop.

``HF_ENDPOINT`` stands in for the hub's address; ``HF_TOKEN`` is shown to that host alone and to no other that it leads
to. ``http_proxy``, ``https_proxy``, ``all_proxy`` and ``no_proxy`` hold for each hop.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from urllib.parse import unquote, urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.exceptions import (
    HTTPError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ProxyError,
    SSLError,
)
from urllib3.exceptions import TimeoutError as HTTPTimeoutError
from urllib3.response import BaseHTTPResponse

from models.errors import WeightsUnreachable

HUB = "https://huggingface.co"
MOST_HOPS = 6
_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (NameResolutionError, "no such host is known here"),
    (NewConnectionError, "nobody takes the connection"),
    (TimeoutError, "no answer in time"),
    (HTTPTimeoutError, "no answer in time"),
    (SSLError, "its certificate is not trusted here"),
    (ProtocolError, "the connection ended"),
    (HTTPError, "no answer that can be understood"),
)
_TIMEOUT = urllib3.Timeout(connect=10, read=60)


def hub() -> str:
    """Return the address of the hub that is asked, without a slash at its end."""
    return os.environ.get("HF_ENDPOINT", "").rstrip("/") or HUB


def address(url: str) -> str:
    """Return where a file of the registry is asked for: at the hub that the environment names, if it lies at one."""
    return hub() + url.removeprefix(HUB) if url.startswith(f"{HUB}/") else url


@contextmanager
def answer(url: str, headers: Mapping[str, str]) -> Iterator[BaseHTTPResponse]:
    """Give the answer to a GET, whatever its status, its body unread; redirects are followed.

    Raises:
        WeightsUnreachable: redirects without an end, or from https to plain http, or a proxy of an unknown kind.
        urllib3.exceptions.HTTPError: nobody answers.
    """
    with ExitStack() as open_until_read:
        for _ in range(MOST_HOPS):
            pool = open_until_read.enter_context(_pool(url))
            sent = {"Accept-Encoding": "identity", **headers, **_token(url)}
            response = pool.request(
                "GET", url, headers=sent, preload_content=False, enforce_content_length=False, redirect=False, retries=3
            )
            open_until_read.callback(response.close)
            led_to = response.get_redirect_location()
            if not led_to:
                yield response
                return
            before, url = url, urljoin(url, led_to)
            if before.startswith("https:") and not url.startswith("https:"):
                raise WeightsUnreachable("the server leads to an address without encryption")
        raise WeightsUnreachable("too many redirects")


def in_plain_words(error: Exception) -> str:
    """Return why nobody answered, in a few words in place of those of the libraries below."""
    reason = error.reason if isinstance(error, MaxRetryError) and error.reason else error
    if isinstance(reason, ProxyError):
        return f"the proxy does not let it through ({in_plain_words(reason.original_error)})"
    return next((said for kind, said in _REASONS if isinstance(reason, kind)), " ".join(str(reason).split()))


def proxy_of(url: str) -> str | None:
    """Return the proxy that the environment names for an address, or None where it is asked directly."""
    parts, proxies = urlsplit(url), getproxies()
    if not parts.hostname or proxy_bypass(parts.hostname):
        return None
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"


def without_password(proxy: str) -> str:
    """Return the address of a proxy as it may be shown."""
    parts = urlsplit(proxy)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _pool(url: str) -> urllib3.PoolManager:
    proxy = proxy_of(url)
    if proxy is None:
        return urllib3.PoolManager(timeout=_TIMEOUT)
    parts = urlsplit(proxy)
    if parts.scheme not in ("http", "https"):
        return _socks(proxy)
    login = f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else None
    headers = urllib3.make_headers(proxy_basic_auth=login) if login else None
    return urllib3.ProxyManager(without_password(proxy), proxy_headers=headers, timeout=_TIMEOUT)


def _socks(proxy: str) -> urllib3.PoolManager:
    try:
        from urllib3.contrib.socks import SOCKSProxyManager

        return SOCKSProxyManager(proxy, timeout=_TIMEOUT)
    except (ImportError, ValueError) as error:
        raise WeightsUnreachable(
            f"the proxy {without_password(proxy)} cannot be used ({error}); name an http proxy, or install PySocks"
        ) from error


def _token(url: str) -> dict[str, str]:
    """Return the header with the hub's token, for an address of the hub alone."""
    token, here, there = os.environ.get("HF_TOKEN", "").strip(), urlsplit(url), urlsplit(hub())
    is_hub = (here.scheme, here.netloc) == (there.scheme, there.netloc)
    return {"Authorization": f"Bearer {token}"} if token and is_hub else {}
