"""What customers write arrives once, in order, whatever the way does to it."""

from tests.modules.conversations.desk import Desk


async def test_a_customers_message_opens_a_conversation(desk: Desk) -> None:
    row = await desk.customer_writes("有大一点的吗")

    assert (row.state, row.handler, row.unread) == ("open", "assistant", 1)
    assert (row.last_preview, row.last_sender) == ("有大一点的吗", "customer")
    (message,) = await desk.messages()
    assert (message.direction, message.sender_kind, message.text) == ("in", "customer", "有大一点的吗")


async def test_an_agents_answer_reaches_the_phone(desk: Desk) -> None:
    await desk.customer_writes("在吗")
    await desk.takes(desk.xiaoyu)

    await desk.says(desk.xiaoyu, "在的，您说")
    await desk.work()

    assert [one["text"] for one in await desk.phone()] == ["在吗", "在的，您说"]
    assert [message.state for message in await desk.messages()] == ["received", "sent"]
    assert (await desk.conversation()).window_left == 4
