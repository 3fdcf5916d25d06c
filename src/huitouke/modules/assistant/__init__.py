"""The assistant: knowledge, retrieval, replies to customers."""

from huitouke.kernel.modules import Module


def module() -> Module:
    """The manifest."""
    from pathlib import Path

    from huitouke.kernel.modules import MenuEntry, Permission, SurfaceRouter
    from huitouke.kernel.plans import Feature, Quota
    from huitouke.kernel.processors import PROCESSORS
    from huitouke.kernel.scoping import Scoped
    from huitouke.modules.assistant import commands, console, demo, events, models, reactions
    from huitouke.modules.assistant.service import industries, unanswered
    from huitouke.modules.assistant.service.model_endpoint import processor
    from huitouke.modules.conversations.service import of_conversation
    from huitouke.modules.organization.service import INDUSTRY_PARTS, TODAY, TodayPart

    folder = Path(__file__).parent
    return Module(
        name="assistant",
        requires=("organization", "customers", "conversations"),
        routers=tuple(SurfaceRouter("console", router) for router in console.routers),
        permissions=(
            Permission("assistant.view", presets=("manager", "operator", "agent", "analyst")),
            Permission("assistant.manage", presets=("manager", "operator")),
        ),
        menu=(MenuEntry("assistant", "/assistant", "book", "assistant.view", 30),),
        features=(Feature("assistant"),),
        quotas=(Quota("ai_tokens", unit="tokens"),),
        events=(events.KnowledgeChanged, events.TurnDecided),
        handlers=(reactions.note_customer_messages, reactions.note_what_people_left),
        runners=(reactions.reply,),
        jobs=(reactions.apply_import,),
        schedules=(reactions.wake_due_turns,),
        models=(
            models.KnowledgeEntry,
            models.KnowledgeVersion,
            models.KnowledgeImport,
            models.IndustryEntry,
            models.ImportChunk,
            models.ReplyTurn,
            models.ReplyTrace,
            models.AssistantSettings,
            models.ModelEndpoint,
        ),
        scoped=(
            Scoped(models.ReplyTurn, of_conversation(models.ReplyTurn)),
            Scoped(models.ReplyTrace, of_conversation(models.ReplyTrace)),
        ),
        extensions={
            INDUSTRY_PARTS: (industries.prepare_shop,),
            TODAY: (TodayPart("assistant.view", unanswered.today),),
            PROCESSORS: (processor,),
        },
        migrations=folder / "migrations",
        locales=folder / "locales",
        demo=demo.load,
        commands=(commands.EVAL,),
    )
