"""What the web needs: yt-dlp, a JavaScript runtime, cookies, a proxy, tokens."""

import base64
import os
import re
import socket
import time
from collections.abc import Iterator
from datetime import date
from http.cookiejar import LoadError, MozillaCookieJar
from importlib.metadata import PackageNotFoundError, distributions, version
from urllib.parse import unquote, urlsplit

from models.errors import MissingExtra
from models.weights.web import proxy_of, without_password
from pipeline.contract.errors import NoScriptRuntime
from pipeline.doctor.finding import Diagnosis, note, ok, wrong
from pipeline.sources.web.runtimes import check_runs, found_runtime
from pipeline.sources.web.settings import WebSettings

DAY_S = 86_400
COOKIES_OLD_DAYS = 30
YT_DLP_OLD_DAYS = 90
"""Hosts change; YouTube broke yt-dlp about every two months."""

ASKED_HOST = "www.youtube.com"
TIMEOUT_S = 10.0


def yt_dlp(*, required: bool) -> Diagnosis:
    """Tell which yt-dlp is installed, and how old it is."""
    try:
        installed = version("yt-dlp")
    except PackageNotFoundError:
        remedy = "pip install 'youtube-occ[web]'"
        return wrong("yt-dlp", "missing", remedy) if required else note("yt-dlp", "missing, no web is needed", remedy)
    released = re.match(r"(\d{4})\.(\d+)\.(\d+)", installed)
    since = date(*map(int, released.groups())) if released else date.today()  # noqa: DTZ011 - a day more or less
    days = (date.today() - since).days  # noqa: DTZ011
    old = f"{installed}, {days} days old"
    return (
        note("yt-dlp", old, "pip install -U yt-dlp, if YouTube refuses")
        if days > YT_DLP_OLD_DAYS
        else ok("yt-dlp", old)
    )


def javascript(settings: WebSettings, *, required: bool) -> Diagnosis:
    """Tell which JavaScript runtime is found, and whether it runs a script."""
    try:
        runtime = found_runtime(settings)
        check_runs(runtime)
    except (NoScriptRuntime, MissingExtra) as error:
        found, _, remedy = str(error).rpartition(": ")
        return (wrong if required else note)("JavaScript", found, remedy)
    except OSError as error:  # of the temporary folder, of which another line tells
        return (wrong if required else note)("JavaScript", f"no script can be tried ({error.strerror})", "make room")
    return ok("JavaScript", f"{runtime.path}, {runtime.name} {runtime.version}, runs a script")


def cookies(settings: WebSettings) -> Diagnosis:
    """Tell how old the cookies are and whether they still count."""
    path = settings.cookies_file
    if path is None:
        return ok("cookies", "none are named, so that every host is asked as a stranger")
    remedy = "export them anew from a browser that is logged in, in Netscape format"
    jar = MozillaCookieJar(path)
    try:
        jar.load(ignore_discard=True, ignore_expires=True)
        days = (time.time() - path.stat().st_mtime) / DAY_S
    except (OSError, LoadError, UnicodeDecodeError) as error:
        return wrong("cookies", f"{path} cannot be read ({type(error).__name__})", remedy)
    valid = [cookie for cookie in jar if not cookie.is_expired()]
    found = f"{path}, {days:.0f} days old, {len(valid)} of {len(jar)} cookies count"
    if not valid:
        return wrong("cookies", found, remedy)
    return note("cookies", found, remedy) if days > COOKIES_OLD_DAYS else ok("cookies", found)


def proxy(settings: WebSettings) -> Diagnosis:
    """Tell whether the proxy that is named takes connections."""
    named = settings.proxy.get_secret_value() if settings.proxy else proxy_of(f"https://{ASKED_HOST}/")
    if not named:
        return ok("proxy", "none")
    shown = without_password(named)
    try:
        problem = _refusal_of(named)
    except (OSError, ValueError) as error:
        problem = str(error) or type(error).__name__
    remedy = "start it, mend video.web.proxy or https_proxy, or unset them"
    return wrong("proxy", f"{shown} refuses ({problem})", remedy) if problem else ok("proxy", f"{shown} answers")


def tokens() -> Iterator[Diagnosis]:
    """Tell which tokens there are; none is shown."""
    token = os.environ.get("HF_TOKEN", "")
    if token and not re.fullmatch(r"hf_[A-Za-z0-9]{8,}", token):
        yield wrong("HF_TOKEN", "it does not look like a token of the hub", "copy it again, without blanks or quotes")
    else:
        yield ok("HF_TOKEN", "set" if token else "not set, which public weights do without")
    providers = sorted({dist.name for dist in distributions() if "pot-provider" in (dist.name or "")})
    yield ok("PO tokens", ", ".join(providers) or "no provider is installed; only some videos of YouTube ask for one")


def _refusal_of(named: str) -> str:
    """Return how a proxy refuses to lead to a host, or nothing; raises ``OSError``."""
    parts = urlsplit(named if "://" in named else f"http://{named}")
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 1080)
    with socket.create_connection((parts.hostname or "", port), timeout=TIMEOUT_S) as connection:
        if parts.scheme != "http":
            return ""
        asked = f"CONNECT {ASKED_HOST}:443 HTTP/1.1\r\nHost: {ASKED_HOST}:443\r\n"
        if parts.username:
            login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            asked += f"Proxy-Authorization: Basic {base64.b64encode(login.encode()).decode()}\r\n"
        connection.sendall(f"{asked}\r\n".encode())
        answered = connection.recv(1024).split(b"\r\n")[0].decode("latin1")
    return "" if re.match(r"HTTP/1\.[01] 2\d\d", answered) else answered or "it hangs up"
