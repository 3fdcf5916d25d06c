"""The frames of the live socket, protocol 1. docs/protocol.md explains them; the client's types are made of them."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter

from huitouke.kernel.realtime.limits import OPEN_LIMIT

PROTOCOL: Final = 1
EARLIEST_YEAR: Final = 1970
LATEST_YEAR: Final = 9000


def _within_a_calendar(at: datetime) -> datetime:
    """Far from both ends of what a datetime can be, so that slack and time zones never lead beyond them."""
    if not EARLIEST_YEAR <= at.year <= LATEST_YEAR:
        raise ValueError(f"a year from {EARLIEST_YEAR} to {LATEST_YEAR}")
    return at


class ServerFrame(BaseModel):
    """What the server sends."""

    model_config = ConfigDict(frozen=True)


class Hello(ServerFrame):
    """The first frame of a connection. A page whose `build` differs is out of date."""

    type: Literal["hello"] = "hello"
    protocol: Literal[1] = PROTOCOL
    build: str
    now: datetime


class Frame(ServerFrame):
    """A numbered change of an open stream. Numbers of one stream only grow; gaps are changes that were overtaken."""

    type: Literal["frame"] = "frame"
    stream: str
    id: UUID
    seq: int
    data: Any


class Hint(ServerFrame):
    """Something without numbers changed: fetch it again if it is on the screen, else drop this."""

    type: Literal["hint"] = "hint"
    kind: str
    id: UUID | None = None
    version: int | None = None


class Heartbeat(ServerFrame):
    """Every 20 s: the highest number of each open stream. Who has a lower one sends `open` again."""

    type: Literal["heartbeat"] = "heartbeat"
    heads: dict[UUID, int]


class Changed(ServerFrame):
    """The answer to `since`: what changed. With `more` the list was cut: fetch the whole list again."""

    type: Literal["changed"] = "changed"
    stream: str
    ids: list[UUID]
    more: bool = False


class Reset(ServerFrame):
    """Too much is missing to send it: fetch the stream afresh, then `open` it from the number fetched.

    Until then nothing of it is sent.
    """

    type: Literal["reset"] = "reset"
    stream: str
    id: UUID


class Error(ServerFrame):
    """The last frame from the client was not followed, or in part. `id`: the stream that can't be opened."""

    type: Literal["error"] = "error"
    code: Literal["bad_frame", "unknown_stream", "not_found"]
    stream: str | None = None
    id: UUID | None = None


class Open(BaseModel):
    """What is open on the screen, with the last number seen of each; replaces what was open of that stream before.

    `since`: when the client was last up to date with its lists, after a pause.
    """

    model_config = ConfigDict(extra="forbid")

    type: Literal["open"]
    stream: str = "conversation"
    streams: dict[UUID, Annotated[int, Field(ge=0)]] = Field(max_length=OPEN_LIMIT)
    since: Annotated[datetime, AfterValidator(_within_a_calendar)] | None = None


class Pong(BaseModel):
    """The client lives; the answer to a heartbeat."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["pong"]


AnyServerFrame = Annotated[Hello | Frame | Hint | Heartbeat | Changed | Reset | Error, Field(discriminator="type")]
AnyClientFrame = Annotated[Open | Pong, Field(discriminator="type")]

CLIENT_FRAMES: Final[TypeAdapter[Open | Pong]] = TypeAdapter(AnyClientFrame)
SERVER_FRAMES: Final[TypeAdapter[Hello | Frame | Hint | Heartbeat | Changed | Reset | Error]] = TypeAdapter(
    AnyServerFrame
)


def encode(frame: ServerFrame) -> str:
    """The frame as it goes over the wire."""
    return frame.model_dump_json()


def encode_change(stream: str, id: UUID, change: BaseModel) -> tuple[int, str]:
    """A stream's change as (number, encoded frame). Its model's own `seq` is the frame's; the rest is `data`."""
    seq: int = change.seq  # type: ignore[attr-defined]  # every change of a stream has it, see Stream.frames
    data = change.model_dump_json(exclude={"seq"})
    return seq, f'{{"type":"frame","stream":"{stream}","id":"{id}","seq":{seq},"data":{data}}}'


def frames_schema() -> dict[str, Any]:
    """The JSON schema of both directions: `server` and `client` under one `$defs`."""
    server = SERVER_FRAMES.json_schema(mode="serialization", ref_template="#/$defs/{model}")
    client = CLIENT_FRAMES.json_schema(mode="validation", ref_template="#/$defs/{model}")
    definitions = {**server.pop("$defs"), **client.pop("$defs")}
    return {"protocol": PROTOCOL, "server": server, "client": client, "$defs": definitions}
