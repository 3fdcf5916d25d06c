"""One e-mail over SMTP (RFC 5321), with what the server's refusals mean for whoever wants to try again.

Python's own client in a thread: some mails an hour need no library of their own. What goes wrong before the text was
handed over did not happen; once its last line has gone out, only the server knows.
"""

import asyncio
import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate, make_msgid, parseaddr
from enum import StrEnum
from typing import Final, Literal
from urllib.parse import unquote, urlsplit

TIMEOUT_SECONDS: Final = 15.0
"""Of each step of the talk."""

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
SUBJECT_CHARACTERS: Final = 200
TEXT_CHARACTERS: Final = 20_000

Failure = Literal["final", "retry", "unknown"]


class MailReason(StrEnum):
    """Why a mail did not go out, or nobody knows."""

    CONNECT = "connect"
    TLS = "tls"
    SIGN_IN = "sign_in"
    SENDER = "sender"
    RECIPIENT = "recipient"
    BUSY = "busy"
    REFUSED = "refused"
    BROKEN = "broken"


_TEXTS: Final[dict[str, dict[MailReason, str]]] = {
    "zh-CN": {
        MailReason.CONNECT: "连不上邮件服务器。请检查地址、端口和网络，恢复后会自动再试。",
        MailReason.TLS: "邮件服务器不支持加密连接，没有发送。请换用支持 TLS 的地址。",
        MailReason.SIGN_IN: "邮件服务器的账号或密码不对。请联系管理员检查邮件设置。",
        MailReason.SENDER: "邮件服务器不允许用这个发件地址。请联系管理员检查邮件设置。",
        MailReason.RECIPIENT: "对方的邮箱地址不存在或拒收。请检查地址。",
        MailReason.BUSY: "邮件服务器暂时不收信，会自动再试。",
        MailReason.REFUSED: "邮件服务器拒绝了这封邮件。",
        MailReason.BROKEN: "发送途中连接断开，不确定对方有没有收到。确认没收到再重发。",
    },
    "en": {
        MailReason.CONNECT: "The mail server can't be reached. Check its address, port and the network.",
        MailReason.TLS: "The mail server offers no encryption, so nothing was sent. Use an address that supports TLS.",
        MailReason.SIGN_IN: "The mail server refuses our account or password. Ask an administrator to check them.",
        MailReason.SENDER: "The mail server doesn't allow this sender. An administrator should check the settings.",
        MailReason.RECIPIENT: "This e-mail address doesn't exist or refuses mail. Please check it.",
        MailReason.BUSY: "The mail server takes no mail at the moment; it is tried again.",
        MailReason.REFUSED: "The mail server refused this mail.",
        MailReason.BROKEN: "The connection broke while sending; it may have arrived. Make sure before sending again.",
    },
}


class MailError(Exception):
    """The mail did not go out, or nobody knows. Its text never holds address, password or words of the mail."""

    def __init__(self, reason: MailReason, failure: Failure, status: int | None = None) -> None:
        super().__init__(f"{reason} {status or ''}".strip())
        self.reason = reason
        self.failure: Failure = failure
        self.status = status


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mail is handed in. `tls`: from the first byte, asked for, or (on this machine alone) none."""

    host: str
    port: int
    tls: Literal["direct", "starttls", "none"]
    user: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail to one person, in plain text."""

    sender: str
    to: str
    subject: str
    text: str = field(repr=False)


def server_of(url: str) -> SmtpServer:
    """The server in `smtp://user:password@host:587` or `smtps://…:465`. Raises ValueError.

    Over smtp:// encryption is asked for and required, except on this machine.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise ValueError("must look like smtp://user:password@mail.example.cn:587 or smtps://…:465")
    direct = parts.scheme == "smtps"
    tls: Literal["direct", "starttls", "none"] = "direct" if direct else "starttls"
    if not direct and parts.hostname in LOOPBACK:
        tls = "none"
    return SmtpServer(
        parts.hostname, parts.port or (465 if direct else 587), tls, unquote(parts.username or ""),
        unquote(parts.password or ""),
    )  # fmt: skip


def explain(reason: str, locale: str = "zh-CN") -> str:
    """The sentence behind a reason: what happened and what to do."""
    texts = _TEXTS["zh-CN" if locale.lower().startswith("zh") else "en"]
    known = MailReason(reason) if reason in {one.value for one in MailReason} else MailReason.REFUSED
    return texts[known]


async def send(server: SmtpServer, mail: Mail) -> None:
    """Hands the mail in. Raises MailError."""
    await asyncio.to_thread(_send, server, mail)


def _send(server: SmtpServer, mail: Mail) -> None:
    talk = _open(server)
    try:
        _sign_in(talk, server)
        _hand_in(talk, mail)
    finally:
        with suppress(smtplib.SMTPException, OSError):
            talk.quit()


def _open(server: SmtpServer) -> smtplib.SMTP:
    context = ssl.create_default_context()
    try:
        if server.tls == "direct":
            return smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_SECONDS, context=context)
        talk = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_SECONDS)
    except (OSError, smtplib.SMTPException):
        raise MailError(MailReason.CONNECT, "retry") from None
    if server.tls == "none":
        return talk
    try:
        talk.starttls(context=context)
    except smtplib.SMTPNotSupportedError:
        talk.close()
        raise MailError(MailReason.TLS, "final") from None
    except (OSError, smtplib.SMTPException):
        talk.close()
        raise MailError(MailReason.CONNECT, "retry") from None
    return talk


def _sign_in(talk: smtplib.SMTP, server: SmtpServer) -> None:
    if not server.user:
        return
    try:
        talk.login(server.user, server.password)
    except smtplib.SMTPAuthenticationError as error:
        raise _refused(MailReason.SIGN_IN, error.smtp_code) from None
    except (OSError, smtplib.SMTPException):
        raise MailError(MailReason.CONNECT, "retry") from None


def _hand_in(talk: smtplib.SMTP, mail: Mail) -> None:
    body = _written(mail)
    try:
        talk.ehlo_or_helo_if_needed()
        for reason, (status, _) in (
            (MailReason.SENDER, talk.mail(parseaddr(mail.sender)[1])),
            (MailReason.RECIPIENT, talk.rcpt(mail.to)),
        ):
            if status >= 400:
                raise _refused(reason, status)
    except (OSError, smtplib.SMTPException):
        raise MailError(MailReason.CONNECT, "retry") from None
    try:
        status, _ = talk.data(body)
    except smtplib.SMTPDataError as error:  # it refused before it took the text
        raise _refused(MailReason.REFUSED, error.smtp_code) from None
    except (OSError, smtplib.SMTPException):
        raise MailError(MailReason.BROKEN, "unknown") from None
    if status >= 400:
        raise _refused(MailReason.REFUSED, status)


def _refused(reason: MailReason, status: int) -> MailError:
    """4yz passes (greylisting, full queues), 5yz doesn't (RFC 5321, 4.2.1)."""
    return MailError(MailReason.BUSY, "retry", status) if status < 500 else MailError(reason, "final", status)


def _written(mail: Mail) -> bytes:
    message = EmailMessage()
    message["From"] = mail.sender
    message["To"] = mail.to
    message["Subject"] = " ".join(mail.subject.split())[:SUBJECT_CHARACTERS]
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain="huitouke.invalid")
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text[:TEXT_CHARACTERS])
    return message.as_bytes()
