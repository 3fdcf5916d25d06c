"""The address book: who is in it, and which departments there are (path/90196).

Two credentials read it. A self-built app reads names, within its visible range. 通讯录同步 reads ids alone, of the
whole corp: details are refused to it since 2022-08-15 (path/90201, 90208).
"""

from pydantic import Field

from huitouke.wechat.client import Answer, WecomClient, shaped

PAGE_LIMIT = 10_000

USER_UNKNOWN = 60111
OUT_OF_SIGHT = frozenset({60011, 60021, 48002})
DEPARTMENT_GONE = frozenset({60003, 60123, 60011})


class Department(Answer):
    """`parentid` 0 is the root's. `order`: highest first among siblings. `name` empty: not told."""

    id: int
    name: str = ""
    parentid: int = 0
    order: int = 0


class Member(Answer):
    """A person with the departments that the app may see; `is_leader_in_dept` is as long as `department`.

    `status`: 1 active, 2 disabled, 4 not activated, 5 left; null where it isn't told.
    """

    userid: str
    name: str = ""
    status: int | None = None
    department: tuple[int, ...] = ()
    is_leader_in_dept: tuple[int, ...] = ()

    @property
    def leads(self) -> tuple[int, ...]:
        """Of which departments the person is the head."""
        return tuple(one for one, leads in zip(self.department, self.is_leader_in_dept, strict=False) if leads)


class Place(Answer):
    """One person in one department."""

    userid: str
    department: int


class PlacePage(Answer):
    """A page of `list_ids`; `next_cursor` empty: the last one."""

    next_cursor: str = ""
    dept_user: tuple[Place, ...] = ()


class _Departments(Answer):
    department: tuple[Department, ...] = ()


class _DepartmentIds(Answer):
    department_id: tuple[Department, ...] = Field(default=())


class _Members(Answer):
    userlist: tuple[Member, ...] = ()


class ContactsClient:
    """Reading the address book with one credential."""

    def __init__(self, client: WecomClient) -> None:
        self._client = client

    async def departments(self) -> tuple[Department, ...]:
        """All departments of the app's visible range, with names (path/90208). 48009 for 通讯录同步."""
        return shaped(_Departments, await self._client.get("department/list"), "department/list").department

    async def department_ids(self) -> tuple[Department, ...]:
        """All departments without names: of the visible range, for 通讯录同步 of the corp (path/95350)."""
        answer = await self._client.get("department/simplelist")
        return shaped(_DepartmentIds, answer, "department/simplelist").department_id

    async def members(self, department_id: int) -> tuple[Member, ...]:
        """Who is in the department itself (path/90201); those of the departments below are asked for one by one."""
        answer = await self._client.get("user/list", {"department_id": str(department_id)})
        return shaped(_Members, answer, "user/list").userlist

    async def member(self, userid: str) -> Member:
        """One person (path/90196). Raises WecomError 60111 for nobody, NotPermitted 60011 for one out of sight."""
        return shaped(Member, await self._client.get("user/get", {"userid": userid}), "user/get")

    async def list_ids(self, cursor: str = "", limit: int = PAGE_LIMIT) -> PlacePage:
        """Who is in which department, for 通讯录同步 alone (path/96067)."""
        body = {"cursor": cursor, "limit": limit} if cursor else {"limit": limit}
        return shaped(PlacePage, await self._client.post("user/list_id", body, idempotent=True), "user/list_id")
