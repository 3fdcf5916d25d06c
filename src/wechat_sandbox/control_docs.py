"""`/sandbox/docs`: the control API's document as a plain page that fetches nothing from elsewhere."""

import json
from html import escape
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse

STYLE = """
:root { color-scheme: light dark; font: 15px/1.6 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h2 { margin: 2rem 0 0.5rem; font-size: 1.1rem; }
details { border-top: 1px solid #8884; }
summary { padding: 0.5rem 0; cursor: pointer; overflow-wrap: anywhere; }
details > div { padding: 0 0 1rem 1rem; }
b { display: inline-block; min-width: 4.5em; font: 600 0.85em ui-monospace, monospace; }
code, pre { font: 0.9em/1.5 ui-monospace, monospace; }
pre { overflow: auto; padding: 0.75rem; border-radius: 6px; background: #8881; }
p, li { overflow-wrap: anywhere; }
small { opacity: 0.75; }
"""


def router(app: FastAPI) -> APIRouter:
    """The page for that application's document."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/sandbox/docs")
    async def page() -> HTMLResponse:
        return HTMLResponse(render(app.openapi()))

    return routes


def render(document: dict[str, Any]) -> str:
    """The document as HTML, operations under their tags in the order of the document."""
    groups: dict[str, list[str]] = {}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            tag = (operation.get("tags") or ["control"])[0]
            groups.setdefault(tag, []).append(_operation(document, method, path, operation))
    info = document["info"]
    parts = "".join(f"<h2>{escape(tag)}</h2>{''.join(operations)}" for tag, operations in groups.items())
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(info['title'])}</title><style>{STYLE}</style>"
        f"<h1>{escape(info['title'])}</h1><p>{escape(info.get('description', ''))}</p>"
        f'<p><a href="/sandbox/openapi.json">OpenAPI (JSON)</a></p>{parts}</html>'
    )


def _operation(document: dict[str, Any], method: str, path: str, operation: dict[str, Any]) -> str:
    said = escape(operation.get("description") or operation.get("summary", ""))
    parameters = "".join(_parameter(one) for one in operation.get("parameters", ()))
    body = _body(document, operation)
    return (
        f'<details id="{escape(operation["operationId"])}"><summary><b>{method.upper()}</b> <code>{escape(path)}</code>'
        f" <small>{escape(operation['operationId'])}</small></summary><div><p>{said}</p>"
        f"{f'<ul>{parameters}</ul>' if parameters else ''}{body}</div></details>"
    )


def _parameter(one: dict[str, Any]) -> str:
    needed = "" if one.get("required") else ", optional"
    text = f" {escape(one['description'])}" if one.get("description") else ""
    return f"<li><code>{escape(one['name'])}</code> <small>({escape(one['in'])}{needed})</small>{text}</li>"


def _body(document: dict[str, Any], operation: dict[str, Any]) -> str:
    """The JSON schema of what is sent, one level of references filled in."""
    content = operation.get("requestBody", {}).get("content", {})
    shown = {kind: json.dumps(_filled(document, held["schema"]), indent=2) for kind, held in content.items()}
    return "".join(f"<p><code>{escape(kind)}</code></p><pre>{escape(text)}</pre>" for kind, text in shown.items())


def _filled(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    found: dict[str, Any] = document["components"]["schemas"][reference.rsplit("/", 1)[-1]]
    return found
