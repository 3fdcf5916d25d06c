"""Which customers somebody sees whose role doesn't see all: those whom nobody follows, and those whom somebody in
scope follows. What hangs on a customer is seen with the customer."""

from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, Select, Uuid, func, literal, or_, select, true

from huitouke.kernel.context import DataScope
from huitouke.modules.customers.models import (
    Customer,
    CustomerFollower,
    CustomerIdentity,
    MarketingMessage,
    MarketingRefusal,
)
from huitouke.modules.organization import service as organization

# Conditions stand on tables, not on models: a model in a sub-select would be narrowed by them again.
_CUSTOMERS: Final = Customer.__table__
_FOLLOWERS: Final = CustomerFollower.__table__.alias("followers_in_scope")
_UNFOLLOWED: Final = Customer.__table__.alias("unfollowed")


def belongs_within(
    tenant_id: UUID, scope: DataScope, customer_id: Any, through: FromClause | None = None, *on: ColumnElement[bool]
) -> ColumnElement[bool]:
    """Whether the customer of that column is nobody's, or somebody's in scope. Two index probes per row.

    For rows that hang on a customer through other tables, `through` is those tables (under names of their own) and `on`
    how the row finds them; `customer_id` is then a column of theirs.
    """
    tables = _FOLLOWERS if through is None else through.join(_FOLLOWERS, _FOLLOWERS.c.customer_id == customer_id)
    followed = _FOLLOWERS.c.tenant_id == literal(tenant_id, Uuid())
    here = on if through is not None else (_FOLLOWERS.c.customer_id == customer_id,)
    within = (
        select(func.bool_or(organization.of_people_in(tenant_id, scope, _FOLLOWERS.c.staff_id)))
        .select_from(tables)
        .where(followed, *here)
        .correlate_except(tables)
        .scalar_subquery()
    )
    # No row: nobody follows the customer.
    return func.coalesce(within, true())


def customer_in_scope(tenant_id: UUID, scope: DataScope) -> ColumnElement[bool]:
    """The same of customers themselves, whose rows say whether anybody follows them."""
    return or_(~_CUSTOMERS.c.followed, belongs_within(tenant_id, scope, _CUSTOMERS.c.id))


def identity_in_scope(tenant_id: UUID, scope: DataScope) -> ColumnElement[bool]:
    """Names by which channels know customers that the scope shows."""
    return belongs_within(tenant_id, scope, CustomerIdentity.__table__.c.customer_id)


def follower_in_scope(tenant_id: UUID, scope: DataScope) -> ColumnElement[bool]:
    """Who follows customers that the scope shows."""
    return belongs_within(tenant_id, scope, CustomerFollower.__table__.c.customer_id)


def refusal_in_scope(tenant_id: UUID, scope: DataScope) -> ColumnElement[bool]:
    """Who wants no offers: customers that the scope shows. Numbers that were entered as such are nobody's."""
    return _nobodys_or(tenant_id, scope, MarketingRefusal.__table__.c.customer_id)


def offer_in_scope(tenant_id: UUID, scope: DataScope) -> ColumnElement[bool]:
    """Which offers went to customers that the scope shows."""
    return _nobodys_or(tenant_id, scope, MarketingMessage.__table__.c.customer_id)


def _nobodys_or(tenant_id: UUID, scope: DataScope, customer_id: Any) -> ColumnElement[bool]:
    return or_(customer_id.is_(None), belongs_within(tenant_id, scope, customer_id))


def customers_within(tenant_id: UUID, scope: DataScope) -> Select[Any]:
    """The ids of customers whom somebody in scope follows, from the scope's side; some come twice."""
    return select(_FOLLOWERS.c.customer_id).where(
        _FOLLOWERS.c.tenant_id == literal(tenant_id, Uuid()),
        _FOLLOWERS.c.staff_id.in_(organization.people_in(tenant_id, scope)),
    )


def nobodys_or_within(tenant_id: UUID, scope: DataScope) -> Any:
    """The ids of all customers that the scope shows, from the scope's side; some come twice."""
    nobodys = select(_UNFOLLOWED.c.id).where(
        _UNFOLLOWED.c.tenant_id == literal(tenant_id, Uuid()), ~_UNFOLLOWED.c.followed
    )
    return customers_within(tenant_id, scope).union_all(nobodys)
