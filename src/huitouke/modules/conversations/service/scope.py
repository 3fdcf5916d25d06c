"""Which conversations, messages and files somebody sees whose role does not see all: those of customers they see."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Uuid, literal, or_, select

from huitouke.kernel.context import Context, DataScope
from huitouke.kernel.database import Base
from huitouke.kernel.files.models import File
from huitouke.kernel.scoping import NOBODYS, Condition, Owners, Scoped
from huitouke.modules.conversations.models import (
    Conversation,
    HandoverNotice,
    MediaDownload,
    Message,
    MessageClientId,
    OutboundMessage,
)
from huitouke.modules.customers import service as customers

MESSAGE: Final = "message"
"""To what files are attached that were sent or received."""

_FILES: Final = File.__table__
_CONVERSATIONS: Final = Conversation.__table__.alias("conversations_in_scope")
_MESSAGES: Final = Message.__table__.alias("messages_in_scope")


def of_conversation(model: type[Base]) -> Condition:
    """The condition of a table whose rows belong to a conversation, by a column `conversation_id`; what belongs to none
    is nobody's."""
    conversation_id = model.__table__.c.conversation_id

    def condition(tenant_id: UUID, scope: DataScope) -> ColumnElement[bool]:
        return customers.belongs_within(
            tenant_id,
            scope,
            _CONVERSATIONS.c.customer_id,
            _CONVERSATIONS,
            _CONVERSATIONS.c.tenant_id == literal(tenant_id, Uuid()),
            _CONVERSATIONS.c.id == conversation_id,
        )

    return condition


def conversation_in_scope(tenant_id: UUID, scope: DataScope) -> ColumnElement[bool]:
    """Conversations of customers that the scope shows."""
    return customers.belongs_within(tenant_id, scope, Conversation.__table__.c.customer_id)


def file_in_scope(tenant_id: UUID, scope: DataScope) -> ColumnElement[bool]:
    """Files of messages that the scope shows, and all that are no message's."""
    tenant = literal(tenant_id, Uuid())
    through = _MESSAGES.join(
        _CONVERSATIONS,
        (_CONVERSATIONS.c.tenant_id == _MESSAGES.c.tenant_id) & (_CONVERSATIONS.c.id == _MESSAGES.c.conversation_id),
    )
    of_message = customers.belongs_within(
        tenant_id,
        scope,
        _CONVERSATIONS.c.customer_id,
        through,
        _MESSAGES.c.tenant_id == tenant,
        _CONVERSATIONS.c.tenant_id == tenant,
        _MESSAGES.c.id == _FILES.c.attached_to_id,
    )
    return or_(_FILES.c.attached_to_kind.is_distinct_from(MESSAGE), of_message)


async def owners(ctx: Context, conversation_ids: Sequence[UUID]) -> Mapping[UUID, Owners]:
    """To whom conversations belong: whose their customers are. Three queries."""
    rows = await ctx.session.execute(
        select(Conversation.id, Conversation.customer_id).where(Conversation.id.in_(conversation_ids))
    )
    of = {row.id: row.customer_id for row in rows}
    found = await customers.owners(ctx, list(set(of.values())))
    return {conversation_id: found.get(customer_id, NOBODYS) for conversation_id, customer_id in of.items()}


SCOPED: Final = (
    Scoped(Conversation, conversation_in_scope, hint="inbox", owners=owners),
    Scoped(Message, of_conversation(Message)),
    Scoped(MessageClientId, of_conversation(MessageClientId)),
    Scoped(OutboundMessage, of_conversation(OutboundMessage)),
    Scoped(MediaDownload, of_conversation(MediaDownload)),
    Scoped(HandoverNotice, of_conversation(HandoverNotice)),
    Scoped(File, file_in_scope),
)
