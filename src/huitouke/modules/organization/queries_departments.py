"""The departments, for whoever chooses some of them."""

from typing import Final

from sqlalchemy import select

from huitouke.kernel.context import Context
from huitouke.kernel.paging import Page
from huitouke.modules.organization.models import Department
from huitouke.modules.organization.schemas import DepartmentBrief

MAX_SHOWN: Final = 3_000
"""Departments of one tree on a screen."""


async def departments(ctx: Context) -> Page[DepartmentBrief]:
    """All departments in the order in which siblings stand; there are at most 3,000, so one page holds them."""
    rows = await ctx.session.execute(
        select(Department.id, Department.parent_id, Department.name)
        .order_by(Department.position.desc(), Department.id)
        .limit(MAX_SHOWN)
    )
    return Page(items=[DepartmentBrief.model_validate(row, from_attributes=True) for row in rows])
