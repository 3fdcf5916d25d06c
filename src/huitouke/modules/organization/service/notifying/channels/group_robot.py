"""A robot that tells one of the merchant's internal groups."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import select

from huitouke.kernel.context import Context
from huitouke.kernel.keys import Secret, unseal
from huitouke.modules.organization.notice_models import GroupRobot
from huitouke.modules.organization.service.clients import group_robot
from huitouke.modules.organization.service.notifying.channels import wecom_errors
from huitouke.modules.organization.service.notifying.kinds import GROUP_ROBOT
from huitouke.modules.organization.service.notifying.ways import Envelope, Message
from huitouke.wechat.errors import WecomError
from huitouke.wechat.group_robots import TEXT_LIMIT_BYTES

BETWEEN: Final = "\n\n"


class GroupRobotChannel:
    """Reaches groups, and nobody by themselves."""

    name = GROUP_ROBOT

    async def reaches(self, ctx: Context, staff_ids: Sequence[UUID]) -> set[UUID]:
        return set()

    async def address(self, ctx: Context, recipient_id: UUID) -> Secret | None:
        row = await ctx.session.scalar(select(GroupRobot).where(GroupRobot.id == recipient_id))
        return unseal(ctx, "group_robots", "key_sealed", row.id, row.key_sealed) if row is not None else None

    async def send(self, context: Context, address: Secret, envelope: Envelope) -> None:
        try:
            await group_robot(address).send_text(_text(envelope))
        except WecomError as error:
            raise wecom_errors.not_sent(error) from error

    def explain(self, code: str, locale: str) -> str:
        return wecom_errors.explain(code, locale)


def _text(envelope: Envelope) -> str:
    """All that fits, each with its address."""
    text = BETWEEN.join(_lines(one) for one in envelope.messages)
    return text.encode()[:TEXT_LIMIT_BYTES].decode(errors="ignore")


def _lines(message: Message) -> str:
    return "\n".join(line for line in (message.title, message.text, message.url) if line)
