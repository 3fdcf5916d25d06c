"""A merchant of ours whose address book is in the sandbox: what each side says stands in it, in the same form."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from huitouke.kernel.callbacks import service as callbacks
from huitouke.kernel.context import Context, job_context
from huitouke.kernel.database import transaction
from huitouke.kernel.ids import new_id
from huitouke.kernel.keys import Secret
from huitouke.kernel.work import testing as work
from huitouke.modules.organization import service as organization
from huitouke.modules.organization.models import AddressBook, Staff
from huitouke.modules.organization.service import address_book
from tests.modules.wechat_sandbox.shop import Sandbox, until
from tests.support.http import PASSWORD

CALLBACK_TRIES = 5


@dataclass(frozen=True)
class Tree:
    """Departments as (name, number above, order) by number; people as (name, departments, those they lead)."""

    departments: dict[int, tuple[str, int | None, int]]
    people: dict[str, tuple[str, frozenset[int], frozenset[int]]] = field(default_factory=dict)


@dataclass
class Book:
    """The merchant, and the corp with its app and its 通讯录同步."""

    sandbox: Sandbox
    address: str
    corp_id: str
    agentid: int
    contacts_agentid: int
    contacts_secret: str
    context: Context
    app_id: UUID
    owner_id: UUID

    async def connect(self) -> None:
        """Reads through the app alone."""
        async with transaction(self.context) as ctx:
            await address_book.connect(ctx, await organization.wecom_app(ctx, self.app_id))
        await work.drain()

    async def give_secret(self) -> None:
        """The secret of 通讯录同步, and its callback saved at WeCom."""
        async with transaction(self.context) as ctx:
            endpoint = await address_book.set_contacts_secret(ctx, Secret(self.contacts_secret))
        config = {
            "url": f"{self.address}/callbacks/wecom/{endpoint.callback_id}",
            "token": endpoint.token.reveal(),
            "encoding_aes_key": endpoint.aes_key.reveal(),
        }
        for _ in range(CALLBACK_TRIES):  # WeCom waits one second, which a busy machine may need for itself
            saved = await self.sandbox.put(f"apps/{self.contacts_agentid}/callback", config, corp_id=self.corp_id)
            if saved["ok"]:
                break
        assert saved["ok"], saved
        await work.drain()

    async def sync(self) -> None:
        async with transaction(self.context) as ctx:
            await address_book.start_sync(ctx)
        await work.drain()

    async def told(self) -> None:
        """Every callback that WeCom sent has been taken in."""

        async def quiet() -> bool:
            sent = await self.sandbox.get("callbacks", corp_id=self.corp_id)
            return all(one["state"] != "waiting" for one in sent["items"])

        await until(quiet, seconds=20)
        await work.drain()

    async def add(self, *departments: dict[str, Any], people: list[dict[str, Any]] | None = None) -> None:
        wanted = {"departments": list(departments), "employees": people or []}
        await self.sandbox.post("address-book", wanted, corp_id=self.corp_id)

    async def change(self, who: str, **wanted: Any) -> None:
        await self.sandbox.patch(f"address-book/employees/{who}", wanted, corp_id=self.corp_id)

    async def change_department(self, number: int, **wanted: Any) -> None:
        await self.sandbox.patch(f"address-book/departments/{number}", wanted, corp_id=self.corp_id)

    async def remove(self, userid: str) -> None:
        await self._gone(f"employees/{userid}")

    async def remove_department(self, number: int) -> None:
        await self._gone(f"address-book/departments/{number}")

    async def show(self, departments: list[int], users: list[str] | None = None) -> None:
        """The app's visible range."""
        wanted = {"visible_departments": departments, "visible_users": users or []}
        await self.sandbox.patch(f"apps/{self.agentid}", wanted, corp_id=self.corp_id)

    async def book(self) -> AddressBook:
        async with transaction(self.context) as ctx:
            return (await ctx.session.scalars(select(AddressBook))).one()

    async def staff(self, userid: str) -> Staff:
        async with transaction(self.context) as ctx:
            found = select(Staff).where(text("wecom_key = :key").bindparams(key=userid.lower()))
            return (await ctx.session.scalars(found)).one()

    async def theirs(self) -> Tree:
        """As it stands at WeCom."""
        departments = await self.sandbox.get("address-book/departments", corp_id=self.corp_id)
        employees = await self.sandbox.get("address-book/employees", corp_id=self.corp_id, limit=10_000)
        return Tree(
            {one["id"]: (one["name"], one["parentid"] or None, one["order"]) for one in departments},
            {one["userid"]: (one["name"], frozenset(one["departments"]), frozenset(one["leads"])) for one in employees},
        )

    async def ours(self) -> Tree:
        """As it stands here: who has left is not in it."""
        async with transaction(self.context) as ctx:
            departments = await ctx.session.execute(
                text(
                    "SELECT d.wecom_id, d.name, above.wecom_id AS above, d.position FROM departments d"
                    " LEFT JOIN departments above ON above.tenant_id = d.tenant_id AND above.id = d.parent_id"
                    " WHERE d.wecom_id IS NOT NULL"
                )
            )
            people = await ctx.session.execute(
                text(
                    "SELECT s.wecom_userid, s.name, coalesce(array_agg(d.wecom_id) FILTER (WHERE d.id IS NOT NULL),"
                    " '{}') AS places, coalesce(array_agg(d.wecom_id) FILTER (WHERE m.leads), '{}') AS leads"
                    " FROM staff s LEFT JOIN staff_departments m ON m.tenant_id = s.tenant_id AND m.staff_id = s.id"
                    " LEFT JOIN departments d ON d.tenant_id = m.tenant_id AND d.id = m.department_id"
                    " WHERE s.source = 'wecom' AND s.state <> 'left' GROUP BY s.id, s.wecom_userid, s.name"
                )
            )
            return Tree(
                {row.wecom_id: (row.name, row.above, row.position) for row in departments},
                {row.wecom_userid: (row.name, frozenset(row.places), frozenset(row.leads)) for row in people},
            )

    async def written(self) -> list[str]:
        """Where each row of staff and departments stands in the database: a row that is written moves."""
        async with transaction(self.context) as ctx:
            rows = await ctx.session.execute(
                text(
                    "SELECT 's' || id || ctid || xmin FROM staff UNION ALL SELECT 'd' || id || ctid || xmin FROM"
                    " departments UNION ALL SELECT 'm' || staff_id || department_id || ctid || xmin"
                    " FROM staff_departments ORDER BY 1"
                )
            )
            return list(rows.scalars())

    async def _gone(self, path: str) -> None:
        answer = await self.sandbox.http.delete(f"/sandbox/{path}", params={"corp_id": self.corp_id})
        assert answer.status_code == 200, answer.text


async def open_book(sandbox: Sandbox, address: str) -> Book:
    """A tenant and a corp of its own; the app is entered, the address book not yet connected."""
    name = f"大店{new_id().hex[-10:]}"
    apps = [{"name": "回头客"}, {"name": "通讯录同步", "contact_sync": True}]
    seeded = await sandbox.post("setup", {"corp_name": name, "apps": apps})
    app, contacts = seeded["corp"]["apps"]
    founded = await organization.found_tenant(name, f"owner-{new_id().hex}", Secret(PASSWORD), owner_name="店长")
    context = job_context(founded.tenant_id)
    async with transaction(context) as ctx:
        entered = await organization.create_wecom_app(
            ctx, organization.NewWecomApp("回头客", app["corp_id"], str(app["agentid"]), Secret(app["secret"]))
        )
        await callbacks.endpoint_of(ctx, entered.id)
    return Book(
        sandbox, address, app["corp_id"], app["agentid"], contacts["agentid"], contacts["secret"], context,
        entered.id, founded.staff_id,
    )  # fmt: skip
