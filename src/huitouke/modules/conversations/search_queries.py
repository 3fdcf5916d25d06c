"""What a search through the inbox finds."""

from typing import Any

from sqlalchemy import ColumnElement, func, or_

from huitouke.kernel.context import Context
from huitouke.kernel.masking import CONTACTS, without_numbers
from huitouke.modules.conversations.models import Conversation
from huitouke.modules.conversations.schemas import REPLY
from huitouke.modules.customers import service as customers
from huitouke.modules.customers.tables import Customer


def matches(ctx: Context, q: str) -> ColumnElement[bool]:
    """Part of the customer's name, remark or the last message, whatever the case; or the customer's whole number."""
    wanted = q.strip().lower()
    known: list[Any] = [Customer.name, func.coalesce(Customer.remark, "")]
    said: list[Any] = [Conversation.last_preview]
    if any(character.isdigit() for character in wanted) and not ctx.allows(CONTACTS):
        known = [without_numbers(text) for text in known]
        said = said if ctx.allows(REPLY) else [without_numbers(text) for text in said]
    texts = known + said
    found = [func.strpos(func.lower(text), wanted) > 0 for text in texts]
    if (number := customers.searched_number(q)) is not None:
        found.append(Conversation.customer_id.in_(customers.with_number(ctx.tenant_id, number)))
    return or_(*found)
