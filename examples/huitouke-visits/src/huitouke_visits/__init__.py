"""An example plug-in: how many messages customers wrote, day by day."""

from huitouke.kernel.modules import Module


def module() -> Module:
    """The manifest. Imports stand inside, so that reading the manifest's place costs nothing."""
    from pathlib import Path

    from huitouke.kernel.modules import MenuEntry, Permission, SurfaceRouter
    from huitouke_visits import console, reactions
    from huitouke_visits.events import GoalReached
    from huitouke_visits.models import VisitDay

    folder = Path(__file__).parent
    return Module(
        name="visits",
        requires=("organization", "conversations"),
        routers=(SurfaceRouter("console", console.router),),
        permissions=(Permission("visits.view", presets=("manager", "operator", "agent", "analyst")),),
        menu=(MenuEntry("visits", "/visits", "chart", "visits.view", 60, page="page.js"),),
        events=(GoalReached,),
        handlers=(reactions.count_messages, reactions.plan_telling),
        jobs=(reactions.tell_staff,),
        models=(VisitDay,),
        migrations=folder / "migrations",
        locales=folder / "locales",
        web=folder / "web",
    )
