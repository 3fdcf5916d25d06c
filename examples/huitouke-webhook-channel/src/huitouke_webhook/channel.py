"""The channel `webhook`: its rules, and the one call that leaves the house."""

import json
from datetime import timedelta
from typing import Final

from huitouke.kernel import clock
from huitouke.kernel.context import Context
from huitouke.kernel.database import transaction
from huitouke.kernel.locales import has_text, translate
from huitouke.kernel.outgoing import AddressRefused, AddressUnknown, NotAnswered, parse_address, post
from huitouke.modules.conversations.service import AccountRef, ChannelError, ChannelRules, Outgoing
from huitouke_webhook import service
from huitouke_webhook.callbacks import KIND, sign

SECONDS: Final = 10.0
"""How long the merchant's system has to answer."""

TOO_MANY: Final = 429


class WebhookChannel:
    """Texts only, no limits but our own: no sessions, no files, nothing to pull."""

    kind = KIND
    rules = ChannelRules(
        window_messages=1_000,
        window=timedelta(days=30),
        text_limit_bytes=8_000,
        identity_kind="visitor",
    )

    def explain(self, code: str, locale: str) -> str:
        """The sentence for a code that `send` raised."""
        word, _, number = code.partition(":")
        key = f"webhook.failures.{word}"
        return translate(locale, key if has_text(key) else "webhook.failures.no_answer", status=number)

    async def send(self, context: Context, account: AccountRef, message: Outgoing) -> str:
        """Posts the message, signed. `id` is the same in every attempt: the receiver leaves out what it has already.

        What may pass (no answer, 429, 5xx) is tried again by the sender; where the last attempt may have arrived, the
        message is shown as unknown. Raises ChannelError.
        """
        async with transaction(context) as ctx:
            url, key = await service.target(ctx, account.id)
        text = f"{message.ai_label or ''}{message.text}"
        body = json.dumps({"id": message.msgid, "customer": message.address, "text": text}).encode()
        timestamp = str(int(clock.now().timestamp()))
        headers = {
            "Content-Type": "application/json",
            "Huitouke-Timestamp": timestamp,
            "Huitouke-Signature": sign(key, timestamp, body),
        }
        try:
            status = await post(parse_address(url), body, headers, seconds=SECONDS)
        except AddressRefused as error:
            raise ChannelError("address_refused", final=True, account_at_fault=True) from error
        except AddressUnknown as error:
            raise ChannelError("address_unknown", final=False) from error
        except NotAnswered as error:
            raise ChannelError("no_answer", final=False, may_have_happened=error.may_have_happened) from error
        if status == TOO_MANY or status >= 500:
            raise ChannelError(f"status:{status}", final=False, may_have_happened=status >= 500)
        if status >= 300:
            raise ChannelError(f"status:{status}", final=True)
        return message.msgid
