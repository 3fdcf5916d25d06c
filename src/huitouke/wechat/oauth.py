"""Who somebody is in WeCom: the pages that people are sent to, and the call that names them (§1.18)."""

from dataclasses import dataclass
from urllib.parse import urlencode

from huitouke.wechat.client import WecomClient
from huitouke.wechat.errors import UnexpectedAnswer

CODE_LIMIT_BYTES = 512
OAUTH_URL = "https://open.weixin.qq.com"
SSO_URL = "https://login.work.weixin.qq.com"


@dataclass(frozen=True, slots=True)
class Recognised:
    """`userid` of somebody of the corp; None for people from outside, whom WeCom knows by other names."""

    userid: str | None


def inside_address(corp_id: str, agent_id: str, redirect_uri: str, state: str, *, base_url: str = OAUTH_URL) -> str:
    """Where a page inside the WeCom app goes to learn who opened it (path/91022). The name alone, without consent."""
    query = urlencode(
        {
            "appid": corp_id,
            "redirect_uri": redirect_uri,
            "response_type": "code",
            "scope": "snsapi_base",
            "state": state,
            "agentid": agent_id,
        }
    )
    return f"{base_url}/connect/oauth2/authorize?{query}#wechat_redirect"


def scan_address(corp_id: str, agent_id: str, redirect_uri: str, state: str, *, base_url: str = SSO_URL) -> str:
    """Where a browser shows a code that is scanned with WeCom (path/98176)."""
    query = urlencode(
        {
            "login_type": "CorpApp",
            "appid": corp_id,
            "agentid": agent_id,
            "redirect_uri": redirect_uri,
            "state": state,
        }
    )
    return f"{base_url}/wwlogin/sso/login?{query}"


async def recognise(client: WecomClient, code: str) -> Recognised:
    """Whose code it is; a code works once, within five minutes (path/91023).

    Raises WecomError: 40029, 42003 and 42022 for codes that are none, too old or used.
    """
    answer = await client.get("auth/getuserinfo", {"code": code})
    userid = answer.get("userid")
    if userid is not None and (not isinstance(userid, str) or not userid):
        raise UnexpectedAnswer(None, "userid is no text", "auth/getuserinfo")
    return Recognised(userid)
