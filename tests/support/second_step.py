"""An authenticator app for tests: turns the second step on, and shows codes by the product's clock."""

from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import text

from huitouke.kernel import clock
from huitouke.kernel.access import second_factor, totp
from huitouke.kernel.context import Actor, ActorKind, Context
from huitouke.kernel.database import platform_transaction
from huitouke.kernel.keys import Secret
from tests.support.http import PASSWORD, Account
from tests.support.world import World


@dataclass
class Authenticator:
    """A phone that holds one secret."""

    secret: Secret
    recovery_codes: list[str] = field(default_factory=list)

    def code(self, *, steps_later: int = 0) -> Secret:
        """What it shows now, or that many steps from now."""
        moment = clock.now() + timedelta(seconds=totp.STEP_SECONDS * steps_later)
        return Secret(totp.code_at(self.secret, totp.step_at(moment)))

    def wrong_code(self) -> Secret:
        """Six digits that it shows neither now nor a step before or after."""
        shown = {self.code(steps_later=steps).reveal() for steps in (-1, 0, 1)}
        return Secret(next(code for code in (str(n) * 6 for n in range(10)) if code not in shown))


def own_context(world: World, account: Account) -> Context:
    """The context of what the account's person does for themselves."""
    return Context(world.tenant_id, Actor(ActorKind.STAFF, id=account.user_id, user_id=account.user_id))


async def unused_again(sign_in_name: str) -> None:
    """As if the step of the code that turned it on had passed: the present code can be used."""
    async with platform_transaction() as session:
        await session.execute(
            text(
                "UPDATE second_factors AS f SET last_step = 0 FROM users AS u"
                " WHERE u.id = f.user_id AND u.sign_in_name = :name"
            ),
            {"name": sign_in_name},
        )


async def turn_on(world: World, account: Account, *, keep_token: str = "") -> Authenticator:
    """Sets it up for the account's person."""
    context = own_context(world, account)
    app = Authenticator((await second_factor.begin(context, Secret(PASSWORD))).secret)
    app.recovery_codes = list(await second_factor.confirm(context, app.code(), keep_token=keep_token))
    await unused_again(account.sign_in_name)
    return app
