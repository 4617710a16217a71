"""Who a request is of. A browser sends no token along with a link, so it keeps one in a cookie that no script reads.

There is nothing to forge with it: whatever needs a role is only read.
"""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from pipeline.web.access import Caller
from pipeline.web.callers import Callers
from pipeline.web.problems import Problem

COOKIE = "transferscope_token"
MOST_BYTES = 4096
"""Of a form: a token and an address. A cookie holds no more either."""


def caller_of(request: Request, callers: Callers) -> Caller:
    """Whose request it is, by its header, else by its cookie; raises Problem 401 for an unknown token in a header."""
    if (written := request.headers.get("authorization")) is not None:
        return callers.by_header(written)
    return callers.by_cookie(request.cookies.get(COOKIE, ""))


async def token_in(request: Request) -> tuple[str, str]:
    """The token of a form, and where the form says to go on. Raises Problem 400 for a form that is too large."""
    form = await _form(request)
    return form.get("token", "").strip(), local(form.get("next", ""))


def sign_in(request: Request, callers: Callers, token: str, following: str) -> Response:
    """Takes a token into a cookie, which the browser keeps until it is closed, and goes on; raises Problem 401 for a
    token that is not known."""
    callers.of(token)
    reply = RedirectResponse(following, 303)
    reply.set_cookie(COOKIE, token, httponly=True, samesite="strict", secure=request.url.scheme == "https")
    return reply


def sign_out() -> Response:
    """Forgets the token."""
    reply = RedirectResponse("/", 303)
    reply.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return reply


def local(address: str) -> str:
    """The address if it is one of this host, else the first page: nobody is led away after signing in."""
    parts = urlsplit(address)
    is_ours = (
        address.startswith("/") and not address.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    )
    return address if is_ours and address.isprintable() and "\\" not in address else "/"


async def _form(request: Request) -> dict[str, str]:
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > MOST_BYTES:
            raise Problem(400, f"a form of more than {MOST_BYTES} bytes is not taken")
    fields = parse_qs(content.decode(errors="replace"), max_num_fields=10)
    return {name: values[0] for name, values in fields.items()}
