"""网页客服: customers write on a page of ours, without WeChat or WeCom.

A message out is delivered by being stored: the page reads it, live or when it is next opened. So `send` calls nobody,
and nothing of it can fail. What comes in is brought by the page's own routes (`visitor.py`).
"""

from datetime import timedelta
from typing import Final

from huitouke.kernel.context import Context
from huitouke.kernel.locales import has_text, translate
from huitouke.modules.conversations.channels import AccountRef, ChannelRules, Outgoing

KIND: Final = "website"

TEXT_LIMIT_BYTES: Final = 6_000
"""About 2,000 Chinese characters: more is no message on a phone."""


class Website:
    """Texts only; a conversation is open for as long as both sides like."""

    kind = KIND
    rules = ChannelRules(
        # There is no window here. Both are beyond what any conversation uses, and fit their columns.
        window_messages=30_000,
        window=timedelta(days=3650),
        text_limit_bytes=TEXT_LIMIT_BYTES,
        identity_kind="visitor",
    )

    def explain(self, code: str, locale: str) -> str:
        """The sentence for a code that the delivery stored."""
        key = f"conversations.failures.{code}"
        return translate(locale, key if has_text(key) else "conversations.failures.website")

    async def send(self, context: Context, account: AccountRef, message: Outgoing) -> str:
        """Nothing is left to do: the message is where the page reads it. The AI's mark is drawn by the page."""
        return message.msgid
