"""Rows that are somebody's, for tests of who hears of them."""

from collections.abc import Sequence
from uuid import UUID

import pytest
from sqlalchemy import true

from huitouke.kernel.context import Context
from huitouke.kernel.files.models import File
from huitouke.kernel.realtime import hub
from huitouke.kernel.scoping import Owners, Scoped


def parcels(monkeypatch: pytest.MonkeyPatch, of: dict[UUID, Owners]) -> None:
    """Rows that are somebody's, as a module would name them; their hints are of the kind `parcel`."""

    async def owners(ctx: Context, ids: Sequence[UUID]) -> dict[UUID, Owners]:
        return {id: of[id] for id in ids if id in of}

    rule = Scoped(File, lambda _tenant, _scope: true(), hint="parcel", owners=owners)
    monkeypatch.setattr(hub, "scoped_tables", lambda: (rule,))
