"""Who a request is of. A browser sends no token along with a link, so it keeps one in a cookie that no script reads.

A cookie comes along whoever made the request: so it is enough to read, and to order something only in a form of our own
pages. Orders of programs have their token in a header.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from pipeline.web.access import Caller, challenge
from pipeline.web.bodies import form
from pipeline.web.callers import Callers
from pipeline.web.problems import Problem

COOKIE = "transferscope_token"


def caller_of(request: Request, callers: Callers) -> Caller:
    """Whose request it is, by its header, else by its cookie; raises Problem 401 for an unknown token in a header."""
    if (written := request.headers.get("authorization")) is not None:
        return callers.by_header(written)
    return callers.by_cookie(request.cookies.get(COOKIE, ""))


def need_header(request: Request) -> None:
    """Raises Problem 401 for an order whose token, if any, is in a cookie."""
    if "authorization" not in request.headers:
        raise Problem(401, "an order needs its token in the header: Authorization: Bearer TOKEN", headers=challenge())


def need_own_page(request: Request) -> None:
    """Raises Problem 403 for a form that was not sent by a page of this host, as far as the browser says."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin", "")
    # Browsers tell the first over TLS and on localhost alone; a proxy may have changed the scheme, not the host.
    is_own = site == "same-origin" if site is not None else urlsplit(origin).netloc == request.headers.get("host")
    if not is_own:
        raise Problem(403, "this form was sent by the page of another host: open the page here, and use its own form")


async def token_in(request: Request) -> tuple[str, str]:
    """The token of a form, and where the form says to go on. Raises Problem 400 for a form that is too large."""
    fields = await form(request)
    return fields.get("token", "").strip(), local(fields.get("next", ""))


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
