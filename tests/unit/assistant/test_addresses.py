"""A model's address is foreign input that our server calls."""

from ipaddress import ip_address

import pytest

from huitouke.modules.assistant.model.addresses import parse_address, refuse_forbidden
from huitouke.modules.assistant.model.port import ModelFailure


@pytest.mark.parametrize(
    ("written", "base_url", "port"),
    [
        ("https://api.example.com/v1", "https://api.example.com/v1", 443),
        (" https://api.example.com/v1/ ", "https://api.example.com/v1", 443),
        ("https://api.example.com/v1/chat/completions", "https://api.example.com/v1", 443),
        ("http://localhost:11434/v1", "http://localhost:11434/v1", 11434),
        ("http://[::1]:8000", "http://[::1]:8000", 8000),
    ],
)
def test_addresses_as_people_copy_them(written: str, base_url: str, port: int) -> None:
    address = parse_address(written)

    assert (address.base_url, address.port) == (base_url, port)


@pytest.mark.parametrize(
    "written",
    [
        "api.example.com/v1",
        "ftp://api.example.com",
        "file:///etc/passwd",
        "gopher://x",
        "https://",
        "https://user:pass@api.example.com",
        "https://api.example.com/v1?x=1",
        "https://api.example.com/v1#x",
        "https://api.example.com:99999/v1",
        "https://api.example.com:0/v1",
        "https://exa mple.com",
    ],
)
def test_addresses_that_are_none(written: str) -> None:
    with pytest.raises(ModelFailure, match="forbidden_address"):
        parse_address(written)


@pytest.mark.parametrize(
    "ip",
    [
        "169.254.169.254",
        "169.254.1.1",
        "100.100.100.200",
        "fe80::1",
        "fd00:ec2::254",
        "::ffff:169.254.169.254",
        "0.0.0.0",
        "224.0.0.1",
    ],
)
@pytest.mark.parametrize("allow_private", [True, False])
def test_metadata_and_link_local_addresses_are_never_called(ip: str, allow_private: bool) -> None:
    with pytest.raises(ModelFailure, match="link_local"):
        refuse_forbidden(ip_address(ip), allow_private=allow_private)


@pytest.mark.parametrize(
    "ip", ["127.0.0.1", "10.0.0.5", "192.168.1.2", "172.16.0.1", "::1", "fd12::1", "::ffff:10.0.0.1"]
)
def test_private_addresses_only_where_they_are_allowed(ip: str) -> None:
    refuse_forbidden(ip_address(ip), allow_private=True)
    with pytest.raises(ModelFailure, match="private"):
        refuse_forbidden(ip_address(ip), allow_private=False)


def test_public_addresses_are_called() -> None:
    refuse_forbidden(ip_address("8.8.8.8"), allow_private=False)
    refuse_forbidden(ip_address("2606:4700::1111"), allow_private=False)
