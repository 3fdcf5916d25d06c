"""Where a model may stand: wherever a merchant's address may be called (`kernel.outgoing`), told as model failures."""

from __future__ import annotations

from huitouke.kernel import outgoing
from huitouke.kernel.outgoing import Address, AddressRefused, AddressUnknown, IpAddress
from huitouke.modules.assistant.model.port import FailureKind, ModelFailure

__all__ = ["Address", "IpAddress", "parse_address", "refuse_forbidden", "resolve"]


def parse_address(base_url: str) -> Address:
    """The parts of a model's address; `/chat/completions` at its end is taken off, since people copy it so.

    Raises:
        ModelFailure: FORBIDDEN_ADDRESS with a stable word: scheme, host, user, query, port.
    """
    try:
        return outgoing.parse_address(base_url.strip().rstrip("/").removesuffix("/chat/completions"))
    except AddressRefused as refused:
        raise ModelFailure(FailureKind.FORBIDDEN_ADDRESS, refused.word) from refused


def refuse_forbidden(ip: IpAddress, *, allow_private: bool) -> None:
    """Lets an address pass that may be called.

    Raises:
        ModelFailure: FORBIDDEN_ADDRESS with a stable word: link_local, private.
    """
    try:
        outgoing.refuse_forbidden(ip, allow_private=allow_private)
    except AddressRefused as refused:
        raise ModelFailure(FailureKind.FORBIDDEN_ADDRESS, refused.word) from refused


async def resolve(address: Address, *, allow_private: bool) -> list[str]:
    """The IP addresses of the host, all of which may be called.

    Raises:
        ModelFailure: ADDRESS (no such name), FORBIDDEN_ADDRESS.
    """
    try:
        return await outgoing.resolve(address, allow_private=allow_private)
    except AddressRefused as refused:
        raise ModelFailure(FailureKind.FORBIDDEN_ADDRESS, refused.word) from refused
    except AddressUnknown as unknown:
        raise ModelFailure(FailureKind.ADDRESS, str(unknown)) from unknown
