"""Every parser of foreign bytes as one function from bytes, which raises nothing but what that parser declares.

A target may also hold what was read against a rule: what is stored must be storable, pieces must give the whole.
"""

import base64
import contextlib
import io
import tempfile
import zipfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import xlsxwriter
from pydantic import ValidationError

from huitouke.kernel import clock
from huitouke.kernel.callbacks import BadCallback, Endpoint
from huitouke.kernel.files.sniffing import media_type_of
from huitouke.kernel.keys import Secret
from huitouke.kernel.realtime.frames import CLIENT_FRAMES
from huitouke.kernel.sheets.reading import read_table
from huitouke.kernel.sheets.workbook import UnreadableFile
from huitouke.modules.assistant.knowledge.rows import read_rows, recognise
from huitouke.modules.assistant.model.addresses import parse_address
from huitouke.modules.assistant.model.completions import Assembly, clean, read_completion, read_embeddings
from huitouke.modules.assistant.model.dialects import read_answer
from huitouke.modules.assistant.model.failures import failure_of_status
from huitouke.modules.assistant.model.port import Completion, ModelFailure
from huitouke.modules.assistant.model.streams import EventLines
from huitouke.modules.conversations.channels.inbound import summary, tidied
from huitouke.modules.conversations.channels.wecom_kf_items import translated
from huitouke.modules.organization.callbacks import WecomCallbacks
from huitouke.wechat.client import Call, parse_answer
from huitouke.wechat.crypto import CallbackCrypto, signature
from huitouke.wechat.errors import CallbackError, WecomError
from huitouke.wechat.kf_messages import parse_items
from huitouke.wechat.media import filename_of
from huitouke.wechat.xml import parse_xml

TOKEN, AES_KEY, CORP_ID = "QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", "wx5823bf96d3bd56c7"
CRYPTO = CallbackCrypto(TOKEN, AES_KEY, CORP_ID)
SOME_ID = UUID("01a20831-a34b-73cf-9e54-8afa223ac6ba")
ENDPOINT = Endpoint(SOME_ID, SOME_ID, "wecom", "0" * 32, CORP_ID, Secret(TOKEN), Secret(AES_KEY), SOME_ID)


def storable(text: str) -> None:
    """PostgreSQL takes neither halves of characters nor NUL."""
    text.encode()
    assert "\x00" not in text


def callback_body(data: bytes) -> None:
    """What anybody may POST to a callback's address."""
    with contextlib.suppress(BadCallback):
        WecomCallbacks().open(ENDPOINT, {"msg_signature": "0" * 40, "timestamp": "1", "nonce": "2"}, data)
    with contextlib.suppress(CallbackError):
        parse_xml(data)


def callback_envelope(data: bytes) -> None:
    """Well signed, but of any inside: lengths, padding, receive id."""
    encrypted = base64.b64encode(data).decode()
    signed = {"msg_signature": signature(TOKEN, "1", "2", encrypted), "timestamp": "1", "nonce": "2"}
    with contextlib.suppress(BadCallback):
        WecomCallbacks().verify(ENDPOINT, {**signed, "echostr": encrypted})


def callback_event(data: bytes) -> None:
    """Well signed and encrypted XML of any content, as far as the wake-up that it brings."""
    encrypted = CRYPTO.encrypt(data)
    query = {"msg_signature": signature(TOKEN, "1", "2", encrypted), "timestamp": "1", "nonce": "2"}
    try:
        opened = WecomCallbacks().open(ENDPOINT, query, f"<xml><Encrypt>{encrypted}</Encrypt></xml>".encode())
    except BadCallback:
        return
    storable(opened.account + opened.event + "".join(opened.wake or ()))


def kf_messages(data: bytes) -> None:
    """The answer of kf/sync_msg, as far as what is stored of it."""
    try:
        answer = parse_answer(Call("POST", "kf/sync_msg"), data)
    except WecomError:
        return
    listed = answer.get("msg_list")
    now = clock.now()
    for item in tidied(translated(parse_items(listed if isinstance(listed, list) else [answer]), now), now):
        storable(item.msgid + item.address + (item.text or "") + (item.servicer_userid or ""))
        assert b"\\u0000" not in orjson.dumps(item.content).replace(b"\\\\", b"")
        storable(summary(item.msgtype, item.text, item.content))


def disposition(data: bytes) -> None:
    """A medium's Content-Disposition; its name never holds a path."""
    name = filename_of(data.decode("latin-1"))
    assert "/" not in name
    assert "\\" not in name


def table(data: bytes) -> None:
    """An uploaded file: CSV or workbook."""
    try:
        found = read_table(data)
    except UnreadableFile:
        return
    mapping = recognise(found.header) or {"question": 0, "answer": 1}
    for entry in read_rows(found, mapping).entries:
        storable(entry.draft.question + entry.draft.answer)


def sheet(data: bytes) -> None:
    """The same with any bytes as the sheet within a workbook that is else in order."""
    table(workbook_with({"xl/worksheets/sheet1.xml": data}))


def shared_strings(data: bytes) -> None:
    """The same with any bytes as the shared texts."""
    table(workbook_with({"xl/sharedStrings.xml": data}))


def workbook_parts(data: bytes) -> None:
    """The same with any bytes as the list of sheets, where they stand, and the formats."""
    for part in ("xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml"):
        table(workbook_with({part: data}))


@lru_cache(maxsize=1)
def _workbook() -> dict[str, bytes]:
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as book:
        page = book.add_worksheet("问答")
        for row, cells in enumerate((("问题", "答案"), ("多久发货", "当天"), ("几件", 3))):
            page.write_row(row, 0, cells)
    with zipfile.ZipFile(target) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def workbook_with(changed: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in {**_workbook(), **changed}.items():
            archive.writestr(name, content)
    return target.getvalue()


def file_type(data: bytes) -> None:
    """An uploaded file's media type, by its content."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        assert "/" in media_type_of(Path(file.name), "a.csv")


def completion(data: bytes) -> None:
    """A model's answer, whole or a stream, and the answer within."""
    try:
        said = read_completion(data, "asked", with_tools=bool(len(data) % 2))
    except ModelFailure as failure:
        storable(failure.detail)
        return
    storable(said.text + said.thoughts + said.model + "".join(call.id + call.name for call in said.tool_calls))
    orjson.dumps([dict(call.arguments or {}) for call in said.tool_calls])
    storable(read_answer(said.text, cut_off=said.cut_off).answer)


def stream(data: bytes) -> None:
    """A model's stream: however its bytes are cut, the same comes out."""
    assert streamed(data, len(data) or 1) == streamed(data, 1 + len(data) % 7)


def streamed(data: bytes, size: int) -> Completion | str:
    lines, assembly = EventLines(), Assembly("asked")
    try:
        for start in range(0, len(data), size):
            for payload in lines.feed(data[start : start + size]):
                storable(assembly.payload(payload))
        for payload in lines.end():
            storable(assembly.payload(payload))
        storable(assembly.rest())
        return assembly.completion(streamed=True, with_tools=True)
    except ModelFailure as failure:
        return str(failure)


def answer(data: bytes) -> None:
    """What a model wrote where an answer in JSON was asked for."""
    storable(read_answer(clean(data.decode(errors="replace"))).answer)


def refusal(data: bytes) -> None:
    """The body of a model service's error, and its vectors."""
    for status in (400, 401, 429, 500):
        assert failure_of_status(status, data).kind
    with contextlib.suppress(ModelFailure):
        assert read_embeddings(data, "asked", 2).vectors


def address(data: bytes) -> None:
    """A model's address as a merchant typed it."""
    try:
        parsed = parse_address(data.decode(errors="replace"))
    except ModelFailure:
        return
    assert parsed.scheme in ("http", "https")
    assert 0 < parsed.port < 65_536


def socket_frame(data: bytes) -> None:
    """A frame that a browser sends."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return
    try:
        frame: Any = CLIENT_FRAMES.validate_json(text)
    except ValidationError:
        return
    assert frame.type in ("open", "pong")


TARGETS: dict[str, Callable[[bytes], None]] = {
    function.__name__: function
    for function in (
        *(callback_body, callback_envelope, callback_event, kf_messages, disposition),
        *(table, sheet, shared_strings, workbook_parts, file_type),
        *(completion, stream, answer, refusal, address, socket_frame),
    )
}
