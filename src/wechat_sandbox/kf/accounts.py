"""Which apps manage an account."""

from wechat_sandbox.entities import KfAccount
from wechat_sandbox.world import World


def authorise(world: World, account: KfAccount, managed_by: list[int]) -> None:
    """Puts the account under the API management of these apps, and tells those whose right began or ended.

    The event is kf_account_auth_change, without content of its own beyond the account's id.
    """
    before, after = set(account.managed_by), set(managed_by)
    account.managed_by = sorted(after)
    world.save(account)
    for agentid in sorted(before ^ after):
        app = world.apps.get((account.corp_id, agentid))
        if app is None:
            continue
        element = "AuthAddOpenKfId" if agentid in after else "AuthDelOpenKfId"
        fields: dict[str, str | int] = {
            "CreateTime": int(world.clock.now()),
            "MsgType": "event",
            "Event": "kf_account_auth_change",
            element: account.open_kfid,
        }
        world.sender.post(app, "kf_account_auth_change", fields, account.open_kfid)
