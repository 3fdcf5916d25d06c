"""Refusals: WeCom's error codes with their texts, and the control API's own."""

import secrets

ERRMSG: dict[int, str] = {
    -1: "system busy",
    40001: "invalid credential",
    40003: "invalid userid",
    40004: "invalid media type",
    40005: "invalid type",
    40006: "invalid media size",
    40007: "invalid media_id",
    40008: "invalid message type",
    40009: "invalid image size",
    40011: "invalid video size",
    40013: "invalid corpid",
    40014: "invalid access_token",
    40029: "invalid code",
    40035: "invalid parameter",
    40056: "invalid agentid",
    40058: "invalid Request Parameter",
    40091: "secret is invalid",
    40096: "invalid external userid",
    41001: "access_token missing",
    41002: "corpid missing",
    41004: "secret missing",
    41005: "media missing",
    41006: "media_id missing",
    42001: "access_token expired",
    42003: "code expired",
    42022: "code has been used",
    42052: "message recall time out of limit",
    43001: "require GET method",
    43002: "require POST method",
    44001: "empty media data",
    44004: "empty content",
    45001: "multimedia size out of limit",
    45002: "content size out of limit",
    45007: "playtime out of limit",
    45009: "api freq out of limit",
    47001: "data format error",
    48002: "api forbidden",
    48009: "api forbidden, contact sync may not read details from this ip",
    48007: "no permission for this kf account",
    50003: "app disabled",
    60011: "no privilege to access/modify contact/party/agent",
    60020: "not allow to access from your ip",
    60030: "servicer is out of the app's visible range",
    60111: "userid not found",
    60123: "invalid party id",
    60268: "invalid cursor",
    81013: "user & party & tag all invalid",
    93000: "invalid webhook url",
    93004: "robot is disabled",
    95000: "invalid open_kfid",
    95001: "send msg count limit",
    95002: "send msg time limit",
    95004: "open_kfid not exist",
    95005: "kf account count limit",
    95006: "invalid kf account name",
    95007: "invalid msg token",
    95008: "menu item count limit",
    95009: "invalid menu item type",
    95013: "conversation end",
    95012: "kf account is used in another mode",
    95014: "user is not a servicer of the account",
    95016: "session state transition not allowed",
    95018: "send msg session status invalid",
    95019: "servicer is not receiving",
    95020: "servicer count limit",
    95028: "recall msgid not found",
    95031: "no user enquiry within 48h",
    95033: "duplicate msgid",
    301002: "not allow operate another agent with this accesstoken",
}


class ApiError(Exception):
    """A WeCom call ends with this errcode; `detail` goes into the errmsg for the reader, never for code."""

    def __init__(self, errcode: int, detail: str = "") -> None:
        super().__init__(errcode, detail)
        self.errcode = errcode
        self.detail = detail

    def body(self, ip: str, now: float) -> dict[str, int | str]:
        """The answer in the real form, with hint, caller and link (path/90930 shows one)."""
        text = ERRMSG.get(self.errcode, "refused")
        if self.detail:
            text += f" ({self.detail})"
        hint = f"{int(now)}_{secrets.randbelow(1000)}_{secrets.token_hex(16)}"
        errmsg = (
            f"{text}, hint: [{hint}], from ip: {ip}, "
            f"more info at https://open.work.weixin.qq.com/devtool/query?e={self.errcode}"
        )
        return {"errcode": self.errcode, "errmsg": errmsg}


class ControlError(Exception):
    """The control API refuses: HTTP status, a stable name and a sentence."""

    def __init__(self, status: int, error: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error = error
        self.message = message


def not_found(what: str, identifier: str) -> ControlError:
    return ControlError(404, "not_found", f"There is no {what} {identifier!r}.")


def conflict(message: str) -> ControlError:
    return ControlError(409, "conflict", message)


def invalid(message: str) -> ControlError:
    return ControlError(422, "invalid", message)
