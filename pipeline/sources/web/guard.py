"""Which addresses may be asked: http(s) on public addresses, and hosts that the user named.

Names are checked by the addresses they lead to, at the moment of connecting, so that neither a redirect nor a name
that changes its address leads into a private network.
"""

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from pipeline.contract.errors import ForbiddenAddress

SCHEMES = ("http", "https")
PORTS = {"http": 80, "https": 443}
LONGEST_URL = 8192
ALIASES = {"youtu.be": "youtube.com", "www.youtube-nocookie.com": "youtube.com"}
FARMS = ("googlevideo.com", "ytimg.com")
"""Domains whose hosts are one service."""


def checked(url: str) -> SplitResult:
    """Return the parts of a URL that may be asked.

    Raises:
        ForbiddenAddress: it is not http(s), has no host, or carries a name and password.
    """
    try:
        parts = urlsplit(url)
        is_sound = parts.scheme in SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_sound = False
    if not is_sound or not url.isprintable() or len(url) > LONGEST_URL:
        raise ForbiddenAddress(f"{url[:200]!r} is no http(s) address")
    if parts.username is not None or parts.password is not None:
        raise ForbiddenAddress(f"the address on {parts.hostname} holds a user name or password")
    return parts


def authority(url: str) -> tuple[str, int]:
    """Return host and port of a URL; raises ``ForbiddenAddress`` as ``checked``."""
    parts = checked(url)
    return str(parts.hostname), parts.port or PORTS[parts.scheme]


def site(url: str) -> str:
    """Return the name under which a host's rate limit is kept: aliases and the hosts of one service share theirs."""
    host, port = authority(url)
    for farm in FARMS:
        if host.endswith(f".{farm}"):
            return farm
    plain = ALIASES.get(host, host.removeprefix("www.").removeprefix("m."))
    return plain if port in PORTS.values() else f"{plain}:{port}"


@dataclass(frozen=True)
class Guard:
    """Decides which addresses may be connected to.

    named: (host, port) that the user wrote down, which may be anywhere. private_allowed: so may all others.
    """

    named: frozenset[tuple[str, int]] = frozenset()
    private_allowed: bool = False

    def connect(
        self, address: tuple[str, int], timeout: float | None, source_address: tuple[str, int] | None
    ) -> socket.socket:
        """Connect to the first reachable address of a host.

        Raises:
            ForbiddenAddress: the host was not named by the user and lies in a private network.
            OSError: nobody answers.
        """
        error: OSError = OSError(f"{address[0]} has no address")
        for family, kind, protocol, _, found in socket.getaddrinfo(*address, type=socket.SOCK_STREAM):
            self._check(address, str(found[0]))
            connection = socket.socket(family, kind, protocol)
            try:
                connection.settimeout(timeout)
                if source_address:
                    connection.bind(source_address)
                connection.connect(found)
            except OSError as failure:
                connection.close()
                error = failure
            else:
                return connection
        raise error

    def _check(self, address: tuple[str, int], found: str) -> None:
        if self.private_allowed or address in self.named or is_public(found):
            return
        raise ForbiddenAddress(
            f"{address[0]} leads into a private network ({found}), where only sources that you name yourself may "
            "lie: allow it with video.web.private_addresses"
        )


def is_public(found: str) -> bool:
    """Tell whether an IP address is one of the public internet, wrapped ones included."""
    address = ipaddress.ip_address(found.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or address.sixtofour or address
    return address.is_global and not address.is_multicast
