"""Behind https cookies have names that browsers hold to what they say."""

import pytest
from starlette.types import Message, Receive, Scope, Send

from huitouke.kernel.http.cookies import PrefixedCookies, plain_names, prefixed_name


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("__Host-huitouke_session=abc", "huitouke_session=abc"),
        ("a=b; __Host-huitouke_session=abc; c=d=e", "a=b; huitouke_session=abc; c=d=e"),
        ("__Secure-huitouke_operator=o", "huitouke_operator=o"),
        ("huitouke_session=planted; __Host-huitouke_session=mine", "huitouke_session=mine"),
        ("huitouke_session=planted; huitouke_operator=planted", ""),
    ],
)
def test_a_cookie_that_a_sibling_host_could_plant_is_not_ours(sent: str, read: str) -> None:
    assert plain_names(sent) == read


def test_what_is_set_has_the_prefix_and_is_secure() -> None:
    kept = prefixed_name("huitouke_session=abc; HttpOnly; Path=/; SameSite=lax; Secure")
    assert kept == "__Host-huitouke_session=abc; HttpOnly; Path=/; SameSite=lax; Secure"
    gone = prefixed_name('huitouke_session=""; Max-Age=0; Path=/; SameSite=lax')
    assert gone == '__Host-huitouke_session=""; Max-Age=0; Path=/; SameSite=lax; Secure'
    assert prefixed_name("other=1; Path=/") == "other=1; Path=/"


async def test_the_application_within_knows_the_plain_names_only() -> None:
    seen: list[tuple[bytes, bytes]] = []
    sent: list[Message] = []

    async def within(scope: Scope, receive: Receive, send: Send) -> None:
        seen.extend(scope["headers"])
        headers = [(b"set-cookie", b"huitouke_session=new; Path=/; Secure"), (b"x", b"y")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})

    async def receive() -> Message:
        raise AssertionError("nothing is read")

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "headers": [(b"cookie", b"__Host-huitouke_session=old"), (b"host", b"shop.test")]}
    await PrefixedCookies(within)(scope, receive, send)

    assert seen == [(b"cookie", b"huitouke_session=old"), (b"host", b"shop.test")]
    assert sent[0]["headers"][0] == (b"set-cookie", b"__Host-huitouke_session=new; Path=/; Secure")
