"""The phone and the employee's client in the browser: one built page with two entrances."""

from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response

PAGES = Path(__file__).parent / "web" / "phone"

NOT_BUILT = """<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>wechat-sandbox</title>
<body style="font-family: system-ui, sans-serif; max-width: 40em; margin: 3em auto; line-height: 1.6">
<h1>沙盒已经在运行</h1>
<p>手机页面还没有构建。请在 <code>web</code> 目录执行 <code>npm ci &amp;&amp; npm run build</code>，然后刷新本页。</p>
<p>The sandbox is running, but its phone page is not built: run <code>npm ci &amp;&amp; npm run build</code> in
<code>web</code> and reload. All the phone does, a script can do: <a href="/sandbox/docs">/sandbox/docs</a>.</p>
</body></html>"""

router = APIRouter(include_in_schema=False)


@router.get("/kf/{link_id}")
async def open_link(request: Request, link_id: str) -> Response:
    """A contact link opened in a browser leads to the phone, which enters that chat."""
    target = request.url_for("phone").include_query_params(link=str(request.url))
    return RedirectResponse(str(target), 302)


@router.get("/", name="phone")
@router.get("/desk")
@router.get("/desk/{rest:path}")
async def page() -> Response:
    index = PAGES / "index.html"
    if not index.is_file():
        return HTMLResponse(NOT_BUILT)
    return FileResponse(index, headers={"Cache-Control": "no-cache"})


@router.get("/{path:path}")
async def asset(path: str) -> Response:
    """A file of the built page, nothing outside its folder; everything else is 404."""
    file = (PAGES / path).resolve()
    if not file.is_relative_to(PAGES.resolve()) or not file.is_file():
        return Response("not found", 404, media_type="text/plain")
    cache = "public, max-age=31536000, immutable" if path.startswith("assets/") else "no-cache"
    return FileResponse(file, headers={"Cache-Control": cache})
