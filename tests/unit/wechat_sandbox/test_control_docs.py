"""The page about the control API: everything on it, nothing fetched from elsewhere."""

import re

from wechat_sandbox.app import create_app
from wechat_sandbox.control_docs import render


def test_every_operation_is_on_the_page_and_nothing_comes_from_elsewhere() -> None:
    document = create_app().openapi()
    page = render(document)

    for path, item in document["paths"].items():
        assert path in page
        for operation in item.values():
            assert f'id="{operation["operationId"]}"' in page
    assert not re.search(r"<script|<link|@import|(?:src|href)=\"(?:https?:)?//", page)
