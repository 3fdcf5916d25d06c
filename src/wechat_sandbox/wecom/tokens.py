"""gettoken and the addresses that callbacks come from (path/91039, 90930)."""

import hmac

from wechat_sandbox.entities import AccessToken, App
from wechat_sandbox.errors import ApiError
from wechat_sandbox.ids import new_access_token
from wechat_sandbox.wecom.calls import Answer, Call, endpoint

TOKEN_SECONDS = 7_200


@endpoint("gettoken", "GET", needs_token=False)
def gettoken(call: Call) -> Answer:
    """The same token until it expires, with the seconds that are left; raises 41002, 41004, 40013, 40091, 40001."""
    corp_id, secret = call.query.get("corpid", ""), call.query.get("corpsecret", "")
    if not corp_id:
        raise ApiError(41002)
    if not secret:
        raise ApiError(41004)
    app = _app_by_secret(call, corp_id, secret)
    token = _live_token(call, app)
    left = int(token.expires_at - call.world.clock.now())
    return {"access_token": token.token, "expires_in": left}


def _app_by_secret(call: Call, corp_id: str, secret: str) -> App:
    world = call.world
    if corp_id not in world.corps:
        raise ApiError(40013)
    for app in world.apps.values():
        if hmac.compare_digest(app.secret.encode(), secret.encode()):
            if app.corp_id != corp_id:
                raise ApiError(40091)
            if not app.enabled:
                raise ApiError(50003)
            return app
    raise ApiError(40001)


def _live_token(call: Call, app: App) -> AccessToken:
    world = call.world
    now = world.clock.now()
    for token in list(world.tokens.values()):
        if (token.corp_id, token.agentid) != (app.corp_id, app.agentid):
            continue
        if not token.revoked and token.expires_at > now + 1:
            return token
        if token.expires_at < now - TOKEN_SECONDS:  # long gone: its holder learns 40014 instead of 42001
            del world.tokens[token.token]
            world.store.remove(token)
    token = AccessToken(new_access_token(), app.corp_id, app.agentid, now + TOKEN_SECONDS)
    world.add(token)
    return token


@endpoint("getcallbackip", "GET")
@endpoint("get_api_domain_ip", "GET")
def callback_addresses(call: Call) -> Answer:
    """The sandbox calls from this machine."""
    return {"ip_list": ["127.0.0.1", "::1"]}
