"""Reads of the organization that are more than a lookup."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, exists, select

from huitouke.kernel.access.models import SecondFactor, User
from huitouke.kernel.access.service import NO_PASSWORD
from huitouke.kernel.callbacks import Endpoint
from huitouke.kernel.callbacks.models import CallbackEndpoint
from huitouke.kernel.callbacks.service import opened
from huitouke.kernel.context import Context
from huitouke.kernel.paging import Page, decode_cursor, encode_cursor, page_of
from huitouke.modules.organization.models import Staff
from huitouke.modules.organization.schemas import StaffOut


async def staff_page(ctx: Context, cursor: str | None, limit: int) -> Page[StaffOut]:
    """The staff with their sign-in names, in the order they were added."""
    statement = _staff().order_by(Staff.id).limit(limit + 1)
    if cursor is not None:
        (after,) = decode_cursor(cursor, UUID)
        statement = statement.where(Staff.id > after)
    found = (await ctx.session.execute(statement)).all()
    rows = [staff_out(*one) for one in found]
    return page_of(rows, limit, lambda row: encode_cursor(row.id))


async def staff_member(ctx: Context, staff_id: UUID) -> StaffOut:
    """One person; there must be one."""
    return staff_out(*(await ctx.session.execute(_staff().where(Staff.id == staff_id))).one())


def _staff() -> Select[Staff, str, bool, bool]:
    """The staff with their sign-in names, whether they have yet to set a password, and whether a code is asked for."""
    second_step = exists().where(SecondFactor.user_id == Staff.user_id, SecondFactor.confirmed_at.is_not(None))
    invited = (User.password_hash == NO_PASSWORD).label("invited")
    return select(Staff, User.sign_in_name, invited, second_step.label("second_step")).join(
        User, User.id == Staff.user_id
    )


def staff_out(row: Staff, sign_in_name: str, invited: bool, second_step: bool) -> StaffOut:
    """The row as the API shows it."""
    return StaffOut.model_validate(
        {
            "id": row.id,
            "name": row.name,
            "sign_in_name": sign_in_name,
            "role": row.role,
            "state": "invited" if invited and row.state == "active" else row.state,
            "wecom_userid": row.wecom_userid,
            "notify_app_messages": row.notify_app_messages,
            "second_step": second_step,
            "created_at": row.created_at,
        }
    )


async def callback_endpoints(ctx: Context, app_ids: Sequence[UUID]) -> dict[UUID, Endpoint]:
    """The newest callback address of each app, with its secrets, in one query."""
    rows = await ctx.session.scalars(
        select(CallbackEndpoint).where(CallbackEndpoint.reference_id.in_(app_ids)).order_by(CallbackEndpoint.id)
    )
    return {row.reference_id: opened(row) for row in rows}
