"""The API's documents: OpenAPI per surface, and a page that shows them without fetching anything from elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, cast, get_args

from fastapi import APIRouter
from starlette.responses import FileResponse, JSONResponse, Response

from huitouke.kernel.errors import NotFound
from huitouke.kernel.modules import Surface

FOLDER: Final = Path(__file__).parent / "api_docs_page"
_FILES: Final = {"docs.js": "text/javascript", "docs.css": "text/css"}


def router(document_of: Callable[[Surface], dict[str, Any]]) -> APIRouter:
    """`/docs`, `/openapi.json` (the console's) and `/openapi/<surface>.json`."""
    routes = APIRouter(include_in_schema=False)
    documents: dict[Surface, dict[str, Any]] = {}

    def document(surface: Surface) -> dict[str, Any]:
        if surface not in documents:
            documents[surface] = document_of(surface)
        return documents[surface]

    @routes.get("/openapi.json")
    def console_document() -> Response:
        return JSONResponse(document("console"))

    @routes.get("/openapi/{name}.json")
    def surface_document(name: str) -> Response:
        if name not in get_args(Surface):
            raise NotFound
        return JSONResponse(document(cast("Surface", name)))

    @routes.get("/docs")
    async def page() -> Response:
        return FileResponse(FOLDER / "index.html", media_type="text/html", headers={"Cache-Control": "no-cache"})

    @routes.get("/docs/{name}")
    async def part(name: str) -> Response:
        if name not in _FILES:
            raise NotFound
        return FileResponse(FOLDER / name, media_type=_FILES[name], headers={"Cache-Control": "no-cache"})

    return routes
