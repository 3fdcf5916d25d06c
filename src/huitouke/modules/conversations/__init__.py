"""Conversations with customers: messages in and out, and who handles them."""

from huitouke.kernel.modules import Module


def module() -> Module:
    """The manifest."""
    from pathlib import Path

    from huitouke.kernel.modules import MenuEntry, Permission, SurfaceRouter
    from huitouke.kernel.operators.health import SIGNS
    from huitouke.kernel.processors import PROCESSORS
    from huitouke.modules.conversations import console, demo, events, models, queries, reactions, today, visitor
    from huitouke.modules.conversations.callbacks import ROUTES
    from huitouke.modules.conversations.channels import REGISTRY
    from huitouke.modules.conversations.channels.website import Website
    from huitouke.modules.conversations.channels.wecom_kf import WecomKf
    from huitouke.modules.conversations.prerequisites import KF_MANAGED
    from huitouke.modules.conversations.service import accounts, scope, telling
    from huitouke.modules.conversations.service.trying import DOOR
    from huitouke.modules.conversations.streams import ChatStream, ConversationStream
    from huitouke.modules.organization.service import CHAT_DOORS, EVENT_ROUTES, NOTICE_KINDS, PREREQUISITES, TODAY

    folder = Path(__file__).parent
    return Module(
        name="conversations",
        requires=("organization", "customers"),
        routers=(SurfaceRouter("console", console.router), SurfaceRouter("visitor", visitor.router)),
        permissions=(
            Permission("conversations.view", presets=("manager", "operator", "agent", "analyst")),
            Permission("conversations.reply", presets=("manager", "operator", "agent"), visitors=False),
            Permission("conversations.manage", presets=("manager",)),
        ),
        menu=(MenuEntry("conversations", "/conversations", "message", "conversations.view", 10, simple="main"),),
        events=(
            events.MessageReceived,
            events.MessageSent,
            events.MessageFailed,
            events.HandedOver,
            events.StaffAsked,
            events.Taken,
            events.HandedBack,
            events.Closed,
            events.Reopened,
            events.SessionEntered,
        ),
        handlers=reactions.HANDLERS,
        runners=reactions.RUNNERS,
        jobs=reactions.JOBS,
        schedules=reactions.SCHEDULES,
        streams=(ConversationStream(), ChatStream()),
        extensions={
            REGISTRY: (WecomKf(), Website()),
            EVENT_ROUTES: ROUTES,
            SIGNS: (queries.failing_accounts,),
            TODAY: today.PARTS,
            CHAT_DOORS: (DOOR,),
            PROCESSORS: (accounts.channel_processors,),
            PREREQUISITES: (KF_MANAGED,),
            NOTICE_KINDS: telling.NOTICE_KINDS,
        },
        models=(
            models.ChannelAccount,
            models.Conversation,
            models.HostedPage,
            models.Message,
            models.MessageReceipt,
            models.EarlyRecall,
            models.MessageClientId,
            models.OutboundMessage,
            models.MediaDownload,
            models.ChannelMedia,
            models.HandoverNotice,
        ),
        scoped=scope.SCOPED,
        migrations=folder / "migrations",
        locales=folder / "locales",
        demo=demo.load,
    )
