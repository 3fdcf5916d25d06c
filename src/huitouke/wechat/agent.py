"""What an app may know about itself and WeCom's addresses (path/90227, 90930)."""

from huitouke.wechat.client import Answer, WecomClient, shaped


class _User(Answer):
    userid: str


class _Users(Answer):
    user: tuple[_User, ...] = ()


class _Parties(Answer):
    partyid: tuple[int, ...] = ()


class _Tags(Answer):
    tagid: tuple[int, ...] = ()


class Agent(Answer):
    """An app as WeCom's admin console shows it. `close` 1: disabled. The allow_… lists are its visible range."""

    agentid: int
    name: str = ""
    square_logo_url: str = ""
    description: str = ""
    close: int = 0
    redirect_domain: str = ""
    home_url: str = ""
    allow_userinfos: _Users = _Users()
    allow_partys: _Parties = _Parties()
    allow_tags: _Tags = _Tags()

    @property
    def visible_userids(self) -> tuple[str, ...]:
        return tuple(user.userid for user in self.allow_userinfos.user)


class _IpList(Answer):
    ip_list: tuple[str, ...] = ()


class AgentClient:
    def __init__(self, client: WecomClient) -> None:
        self._client = client

    async def get(self, agent_id: int) -> Agent:
        """The app with its visible range (path/90227). Raises NotPermitted 301002 for another app's AgentId."""
        return shaped(Agent, await self._client.get("agent/get", {"agentid": str(agent_id)}), "agent/get")

    async def callback_ips(self) -> tuple[str, ...]:
        """Addresses callbacks come from, such as "101.226.103.*"; refresh daily (path/90930)."""
        return shaped(_IpList, await self._client.get("getcallbackip"), "getcallbackip").ip_list
