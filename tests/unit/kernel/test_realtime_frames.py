"""The frames as documented: one discriminator, every frame in the schema, numbers of a change in the envelope."""

import json
from pathlib import Path
from uuid import UUID

import pytest
from pydantic import BaseModel, ValidationError

from huitouke.kernel.modules import load_modules
from huitouke.kernel.realtime import limits
from huitouke.kernel.realtime.frames import (
    CLIENT_FRAMES,
    SERVER_FRAMES,
    Hint,
    Open,
    encode,
    encode_change,
    frames_schema,
)
from huitouke.kernel.realtime.limits import OPEN_LIMIT
from huitouke.kernel.realtime.schema import events_schema

ID = UUID("01a20831-a34b-73cf-9e54-8afa223ac6ba")


class Change(BaseModel):
    seq: int
    text: str


def test_a_change_is_encoded_as_the_frame_that_the_schema_describes() -> None:
    seq, text = encode_change("conversation", ID, Change(seq=7, text='你好 "quoted"'))
    assert seq == 7
    frame = json.loads(text)
    assert frame == {
        "type": "frame",
        "stream": "conversation",
        "id": str(ID),
        "seq": 7,
        "data": {"text": '你好 "quoted"'},
    }
    assert json.loads(encode(SERVER_FRAMES.validate_json(text))) == frame


def test_the_schema_names_every_frame_of_both_directions() -> None:
    schema = frames_schema()
    assert set(schema["server"]["discriminator"]["mapping"]) == {
        "hello",
        "frame",
        "hint",
        "heartbeat",
        "changed",
        "reset",
        "error",
    }
    assert set(schema["client"]["discriminator"]["mapping"]) == {"open", "pong"}
    for reference in [*schema["server"]["discriminator"]["mapping"].values()]:
        assert reference.removeprefix("#/$defs/") in schema["$defs"]


def test_a_hint_without_id_and_version_says_so() -> None:
    assert json.loads(encode(Hint(kind="counts"))) == {"type": "hint", "kind": "counts", "id": None, "version": None}


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "open", "streams": {str(ID): -1}},
        {"type": "open", "streams": {"x": 1}},
        {"type": "open", "streams": {}, "extra": 1},
        {"type": "open", "streams": {str(UUID(int=n)): 0 for n in range(OPEN_LIMIT + 1)}},
        {"streams": {}},
    ],
    ids=["negative", "no id", "unknown field", "too many", "no type"],
)
def test_what_a_client_may_not_send_is_refused(frame: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        CLIENT_FRAMES.validate_python(frame)


def test_open_needs_only_the_streams() -> None:
    assert CLIENT_FRAMES.validate_python({"type": "open", "streams": {str(ID): 3}}) == Open(
        type="open", streams={ID: 3}
    )


def test_the_protocols_page_names_every_frame_field_and_close_code() -> None:
    page = (Path(__file__).parents[3] / "docs" / "protocol.md").read_text(encoding="utf-8")
    schema = frames_schema()
    for direction in ("server", "client"):
        for name, reference in schema[direction]["discriminator"]["mapping"].items():
            assert name in page, f"{name} is not explained"
            for field in schema["$defs"][reference.removeprefix("#/$defs/")]["properties"]:
                assert field in page, f"{name}.{field} is not explained"
    for code in (
        limits.SIGNED_OUT,
        limits.BAD_FRAME,
        limits.TOO_SLOW,
        limits.TOO_MANY,
        limits.RESTARTING,
        limits.FAILED,
    ):
        assert str(code) in page, f"close code {code} is not explained"


def test_the_published_schema_holds_frames_and_every_modules_events() -> None:
    modules = load_modules()
    document = events_schema(modules)
    assert document["frames"] == frames_schema()
    assert set(document["events"]) == {event.event_type for module in modules for event in module.events}


@pytest.mark.parametrize("since", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "1969-12-31T00:00:00"])
def test_a_time_from_which_nothing_can_be_subtracted_is_a_bad_frame(since: str) -> None:
    with pytest.raises(ValidationError):
        CLIENT_FRAMES.validate_json(json.dumps({"type": "open", "streams": {}, "since": since}))
