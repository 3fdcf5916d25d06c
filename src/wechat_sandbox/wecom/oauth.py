"""Who somebody is: the pages that apps send people to, and the call that tells the app (path/91022, 91023, 98176).

In reality the phone knows who holds it. Here the page asks who it is; `as=<userid>` answers at once, for scripts.
"""

from html import escape
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from wechat_sandbox.control.common import get_world
from wechat_sandbox.entities import App
from wechat_sandbox.errors import ApiError
from wechat_sandbox.ids import new_code
from wechat_sandbox.wecom.calls import Answer, Call, endpoint
from wechat_sandbox.world import RecognitionCode, World

CODE_SECONDS = 300
STATE_LIMIT_BYTES = 128
SCOPES = ("snsapi_base", "snsapi_privateinfo")

router = APIRouter(include_in_schema=False)


class Refused(Exception):
    """The page says so instead of going on."""


@router.get("/connect/oauth2/authorize")
async def authorize(request: Request) -> Response:
    """Within the WeCom app: recognised at once."""
    query = request.query_params
    if query.get("response_type") != "code" or query.get("scope") not in SCOPES:
        return _page("参数错误", "response_type, scope")
    return _recognise(request, "在企业微信里打开的是谁？")


@router.get("/wwlogin/sso/login")
async def scan(request: Request) -> Response:
    """In a browser: a code that somebody scans."""
    if request.query_params.get("login_type") != "CorpApp":
        return _page("参数错误", "login_type")
    return _recognise(request, "谁来扫码？")


@endpoint("auth/getuserinfo", "GET")
def getuserinfo(call: Call) -> Answer:
    """The userid behind a code, once and within five minutes; raises 40029, 42003, 42022."""
    code = call.query.get("code", "")
    known = call.world.recognition_codes.get(code)
    if known is None or known.corp_id != call.app.corp_id:
        raise ApiError(40029)
    if known.used:
        raise ApiError(42022)
    if call.world.clock.now() >= known.expires_at:
        raise ApiError(42003)
    known.used = True
    return {"userid": known.userid} if known.userid else {"openid": "o" + code[:27]}


def _recognise(request: Request, question: str) -> Response:
    world, query = get_world(request), request.query_params
    try:
        app = _app(world, query.get("appid", ""), query.get("agentid", ""))
        back = _back(app, query.get("redirect_uri", ""))
    except Refused as error:
        return _page("无法继续", str(error))
    state = query.get("state", "")
    if len(state.encode()) > STATE_LIMIT_BYTES:
        return _page("参数错误", "state")
    chosen = query.get("as")
    if chosen is None:
        return HTMLResponse(_question(request, question, world, app))
    if chosen and (app.corp_id, chosen.lower()) not in world.employees:
        return _page("没有这个成员", chosen)
    code = new_code()
    userid = world.employees[(app.corp_id, chosen.lower())].userid if chosen else ""
    world.recognition_codes[code] = RecognitionCode(app.corp_id, userid, world.clock.now() + CODE_SECONDS)
    return RedirectResponse(_with(back, {"code": code, "state": state}), 302)


def _app(world: World, corp_id: str, agentid: str) -> App:
    if not agentid.isdecimal() or (app := world.apps.get((corp_id, int(agentid)))) is None:
        raise Refused("没有这个企业或应用：appid, agentid")
    if not app.enabled:
        raise Refused("应用已停用")
    return app


def _back(app: App, redirect_uri: str) -> str:
    """The address to come back to; its host must be the app's trusted domain where one is set (50001)."""
    parts = urlsplit(redirect_uri)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Refused("redirect_uri 不是网址")
    if app.trusted_domain and parts.netloc != app.trusted_domain:
        raise Refused(f"50001 redirect_uri 与可信域名 {app.trusted_domain} 不一致")
    return redirect_uri


def _with(address: str, more: dict[str, str]) -> str:
    parts = urlsplit(address)
    return urlunsplit(parts._replace(query=urlencode([*parse_qsl(parts.query), *more.items()])))


def _question(request: Request, question: str, world: World, app: App) -> str:
    people = [one for one in world.corp_employees(app.corp_id) if one.active][:200]
    links = "".join(
        f'<li><a href="?{escape(urlencode([*request.query_params.multi_items(), ("as", one.userid)]))}">'
        f"{escape(one.name)} <small>{escape(one.userid)}</small></a></li>"
        for one in people
    )
    return (
        '<!doctype html><html lang="zh-CN"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        "<title>企业微信（沙盒）</title>"
        '<body style="font-family: system-ui, sans-serif; max-width: 24em; margin: 2em auto; line-height: 2">'
        f"<h1>{escape(app.name)}</h1><p>{escape(question)}</p><ul>{links}</ul>"
    )


def _page(title: str, text: str) -> HTMLResponse:
    return HTMLResponse(
        f'<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<h1>{escape(title)}</h1><p>{escape(text)}</p>",
        400,
    )
