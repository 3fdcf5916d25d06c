"""Somebody who runs the installation, for a journey."""

from dataclasses import dataclass

from huitouke.kernel.ids import new_id
from huitouke.kernel.keys import Secret
from huitouke.kernel.operators.signing_in import add_operator
from tests.e2e.composers.shop import PASSWORD
from tests.e2e.composers.stage import Stage


@dataclass(frozen=True)
class Operator:
    """An operator's account."""

    name: str
    password: str


async def hire_operator(stage: Stage) -> Operator:
    """Lets somebody sign in at /operator."""
    name = f"operator-{new_id().hex[-12:]}"
    with stage.in_database():
        await add_operator(name, Secret(PASSWORD))
    return Operator(name, PASSWORD)
