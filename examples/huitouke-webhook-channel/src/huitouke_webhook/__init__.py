"""An example channel: a merchant's own system posts what customers write, and our answers are posted to it."""

from huitouke.kernel.modules import Module


def module() -> Module:
    """The manifest. Imports stand inside, so that reading the manifest's place costs nothing."""
    from pathlib import Path

    from huitouke.kernel.modules import Permission, SurfaceRouter
    from huitouke.modules.conversations.service import CHANNELS
    from huitouke_webhook import console, reactions
    from huitouke_webhook.callbacks import WebhookCallbacks
    from huitouke_webhook.channel import WebhookChannel
    from huitouke_webhook.models import WebhookTarget

    folder = Path(__file__).parent
    return Module(
        name="webhook",
        requires=("organization", "customers", "conversations"),
        routers=(SurfaceRouter("console", console.router),),
        permissions=(Permission("webhook.manage"),),
        runners=(reactions.take_in,),
        callback_kinds=(WebhookCallbacks(),),
        extensions={CHANNELS: (WebhookChannel(),)},
        models=(WebhookTarget,),
        migrations=folder / "migrations",
        locales=folder / "locales",
    )
