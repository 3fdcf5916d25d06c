"""Links that open an account's chat (path/94665): https://…/kf/kfc…?enc_scene=…&scene_param=…"""

from urllib.parse import parse_qs, urlsplit

from wechat_sandbox.entities import ContactLink, KfAccount
from wechat_sandbox.errors import ControlError, not_found
from wechat_sandbox.ids import new_link_id, random_text
from wechat_sandbox.world import World

SCENE_PARAM_LIMIT_BYTES = 128


def make_link(world: World, account: KfAccount, scene: str, base_url: str) -> str:
    """A link for the scene; the same scene of an account gets the same link again."""
    for link in world.links.values():
        if link.open_kfid == account.open_kfid and link.scene == scene:
            return _url(link, base_url)
    link = ContactLink(
        link_id=new_link_id(),
        enc_scene="ENC" + random_text(21) if scene else "",
        open_kfid=account.open_kfid,
        scene=scene,
    )
    world.add(link)
    return _url(link, base_url)


def _url(link: ContactLink, base_url: str) -> str:
    query = f"?enc_scene={link.enc_scene}" if link.enc_scene else ""
    return f"{base_url.rstrip('/')}/kf/{link.link_id}{query}"


def resolve_link(world: World, url: str) -> tuple[str, str, str]:
    """(open_kfid, scene, scene_param) of a scanned link; raises ControlError for one that leads nowhere.

    The host does not matter; scene_param counts only beside a scene, and links must not be mixed (path/94665).
    """
    parts = urlsplit(url)
    link = world.links.get(parts.path.rsplit("/", 1)[-1])
    if link is None:
        raise not_found("link", url)
    query = parse_qs(parts.query)
    enc_scene = query.get("enc_scene", [""])[0]
    if enc_scene != link.enc_scene:
        raise ControlError(409, "conflict", "enc_scene belongs to another link: parameters must not be copied.")
    scene_param = query.get("scene_param", [""])[0] if link.scene else ""
    if len(scene_param.encode()) > SCENE_PARAM_LIMIT_BYTES:
        raise ControlError(422, "invalid", f"scene_param is longer than {SCENE_PARAM_LIMIT_BYTES} bytes.")
    return link.open_kfid, link.scene, scene_param
