import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contract.errors import ForbiddenAddress
from pipeline.sources.web.guard import Guard, authority, checked, is_public, site


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "::1",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:10.0.0.1",
        "2002:7f00:1::",
    ],
)
def test_private_addresses_are_told_in_every_disguise(address: str):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:93.184.216.34"])
def test_public_addresses_are_public(address: str):
    assert is_public(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f000001", "127.1"])
def test_no_spelling_of_this_machine_is_connected_to_unless_the_user_named_it(host: str):
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = (host, server.getsockname()[1])
        with pytest.raises(ForbiddenAddress):
            Guard().connect(address, 5, None)
        Guard(named=frozenset({address})).connect(address, 5, None).close()
        Guard(private_allowed=True).connect(address, 5, None).close()


NO_ADDRESSES = ["file:///etc/passwd", "ftp://example.org/", "//example.org", "http://", "http://a:b@c/", "data:,x"]


@pytest.mark.parametrize("url", [*NO_ADDRESSES, "http://x:0/", f"http://a/{'b' * 9000}"])
def test_what_is_no_web_address_is_refused(url: str):
    with pytest.raises(ForbiddenAddress):
        checked(url)


@given(st.text(max_size=80))
def test_whatever_is_given_has_an_authority_or_is_refused(text: str):
    for url in (text, f"http://{text}", f"https://example.org/{text}"):
        try:
            host, port = authority(url)
        except ForbiddenAddress:
            continue
        assert host
        assert 0 < port < 65536


def test_hosts_of_one_service_share_their_pace():
    same = ("https://www.youtube.com/a", "https://youtu.be/b", "http://m.youtube.com/c", "https://youtube.com")
    assert {site(url) for url in same} == {"youtube.com"}
    assert site("https://r3---sn-1.googlevideo.com/x") == "googlevideo.com"
    assert site("http://127.0.0.1:8000/a") == "127.0.0.1:8000"
