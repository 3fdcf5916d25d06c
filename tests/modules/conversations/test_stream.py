"""Whoever applies the frames to what they had sees what one would fetch afresh."""

from typing import Any
from uuid import UUID

from huitouke.kernel.database import transaction
from huitouke.modules.conversations import queries
from huitouke.modules.conversations import service as conversations
from huitouke.modules.conversations.streams import ConversationStream
from tests.modules.conversations.desk import Desk
from tests.modules.conversations.pages import customer_text, event, page

stream = ConversationStream()


async def fetched(desk: Desk, conversation_id: UUID) -> tuple[dict[str, Any], dict[str, Any]]:
    """(messages by id, the conversation), as the lists give them."""
    async with transaction(desk.xiaoyu.context) as ctx:
        found = await queries.message_page(ctx, conversation_id, None, 100)
        detail = await queries.conversation_detail(ctx, conversation_id)
    return {str(one.id): one.model_dump() for one in found.items}, detail.model_dump()


class Screen:
    """A client that keeps what it fetched once and applies frames to it."""

    def __init__(self, desk: Desk, conversation_id: UUID) -> None:
        self._desk = desk
        self._id = conversation_id
        self.messages: dict[str, Any] = {}
        self.conversation: dict[str, Any] = {}
        self.seq = 0

    async def follow(self, limit: int = 3) -> None:
        while True:
            async with transaction(self._desk.xiaoyu.context) as ctx:
                frames = await stream.frames(ctx, self._id, self.seq, limit)
            if not frames:
                return
            numbers = [frame.seq for frame in frames]
            assert numbers == sorted(set(numbers))
            assert numbers[0] > self.seq
            for frame in frames:
                if frame.kind == "message":
                    self.messages[str(frame.message.id)] = frame.message.model_dump()
                else:
                    self.conversation = frame.conversation.model_dump()
            self.seq = numbers[-1]


async def test_state_fetched_before_and_frames_applied_equal_state_fetched_after(desk: Desk) -> None:
    row = await desk.customer_writes("在吗")
    screen = Screen(desk, row.id)
    await screen.follow()

    async def as_fetched() -> None:
        await screen.follow()
        messages, conversation = await fetched(desk, row.id)
        assert screen.messages == messages
        assert screen.conversation["seq"] >= screen.conversation["unread"]
        assert {**screen.conversation, "seq": 0} == {**conversation, "seq": 0}

    await as_fetched()
    await desk.takes(desk.xiaoyu)
    await as_fetched()
    await desk.says(desk.xiaoyu, "在的")
    await as_fetched()
    await desk.work()
    await as_fetched()
    sent = (await desk.messages())[-1]
    await page(
        desk,
        [
            customer_text("x1", desk.shop.customer, "谢谢"),
            event("x2", desk.shop.customer, "msg_send_fail", fail_msgid=sent.external_msgid, fail_type=13),
            event("x3", desk.shop.customer, "user_recall_msg", recall_msgid="x1"),
        ],
        "c1",
    )
    await as_fetched()
    async with transaction(desk.xiaoyu.context) as ctx:
        await conversations.mark_read(ctx, row.id)
        await conversations.hand_back(ctx, row.id)
    await as_fetched()
    async with transaction(desk.owner.context) as ctx:
        await conversations.close(ctx, row.id)
    await desk.work()
    await as_fetched()


async def test_a_screen_learns_which_conversations_changed_while_it_was_away(desk: Desk) -> None:
    row = await desk.customer_writes("在吗")
    before = row.changed_at
    taken = await desk.takes(desk.xiaoyu)

    async with transaction(desk.xiaoyu.context) as ctx:
        assert list(await stream.changed_since(ctx, before, 10)) == [row.id]
        assert await stream.heads(ctx, [row.id]) == {row.id: taken.seq}
        assert await stream.visible(ctx, [row.id, UUID(int=1)]) == {row.id}
