"""The live page: a sign-in form, or the overview, which the page's own script fills from the stream.

Everything is ours and from here: no third-party code, no inline script or style, and a content security
policy that says so. Signing in is a form, so that it needs no script; a wrong token gets the form again with
what is wrong.
"""

import asyncio
import hashlib
from importlib.resources import files
from urllib.parse import parse_qs, urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from consumers.overview_sessions import Sessions
from consumers.request_body import bounded
from schemas.problems import Kind, Problem, ProblemError

MOST_FORM = 16 * 1024
FORM_WITHIN = 10.0  # seconds: whoever sends it is not known yet, and holds a connection meanwhile
_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_NAMES = ("overview.css", "overview.js", "icon.svg")
_FOR_EVER = "public, max-age=31536000, immutable"
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",  # no-referrer would take the origin from our own forms
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_WRONG = {
    401: "Tokenet kan ikke godkendes. Det er ufuldstændigt, udløbet eller fra et andet sted. Hent et nyt.",
    403: "Tokenet er gyldigt, men giver ikke adgang til overblikket. Det er Koordineringsenhedens alene.",
    503: "Tokenet kan ikke kontrolleres lige nu. Prøv igen om lidt.",
}
_EMPTY = "Indsæt et token for at logge ind."


class Pages:
    """The page's templates and files. A file's address carries the digest of all: a new version, a new address."""

    def __init__(self) -> None:
        """Read them once."""
        self._assets = {name: (files(__package__) / "static" / name).read_bytes() for name in _NAMES}
        self._version = hashlib.sha256(b"".join(self._assets.values())).hexdigest()[:12]
        self._templates = Environment(
            loader=PackageLoader(__package__), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        self._templates.globals["static"] = lambda name: f"/static/{self._version}/{name}"

    def overview(self) -> HTMLResponse:
        """Return the page of who is signed in."""
        return self._page("overview.html", 200)

    def sign_in(self, status: int = 200, wrong: str = "") -> HTMLResponse:
        """Return the form, with what was wrong."""
        return self._page("sign_in.html", status, wrong=wrong)

    def asset(self, version: str, name: str) -> Response:
        """Return a file of the page."""
        if version != self._version or name not in self._assets:
            raise ProblemError(Problem(Kind.NOT_FOUND))
        headers = {"Cache-Control": _FOR_EVER, "X-Content-Type-Options": "nosniff"}
        return Response(self._assets[name], media_type=_TYPES[name.rpartition(".")[2]], headers=headers)

    def _page(self, template: str, status: int, **words: str) -> HTMLResponse:
        text = self._templates.get_template(template).render(**words)
        return HTMLResponse(text, status, headers=_HEADERS)


def router(sessions: Sessions) -> APIRouter:
    """Return the page's routes; they are no part of the API that OpenAPI describes."""
    routes = APIRouter(include_in_schema=False)
    pages = Pages()

    @routes.get("/")
    async def live_page(request: Request) -> Response:
        token = sessions.token(request)
        if token is None:
            return pages.sign_in()
        if (refused := await _refused(sessions, token)) is None:
            return pages.overview()
        answer = pages.sign_in(wrong=_WRONG[refused])
        if refused != Kind.UNAVAILABLE.status:
            sessions.end(answer)
        return answer

    @routes.post("/session")
    async def sign_in(request: Request) -> Response:
        _same_site(request)
        token = await _token(request)
        if not token:
            return pages.sign_in(400, _EMPTY)
        if (refused := await _refused(sessions, token)) is not None:
            return pages.sign_in(refused, _WRONG[refused])
        answer = RedirectResponse("/", 303, headers=_HEADERS)
        sessions.begin(answer, token, secure=request.url.scheme == "https")
        return answer

    @routes.post("/session/end")
    async def sign_out(request: Request) -> Response:
        _same_site(request)
        answer = RedirectResponse("/", 303, headers=_HEADERS)
        sessions.end(answer)
        return answer

    routes.get("/static/{version}/{name}")(pages.asset)
    return routes


async def _refused(sessions: Sessions, token: str) -> int | None:
    try:
        await sessions.check(token)
    except ProblemError as refused:
        return refused.problem.http_status
    return None


def _same_site(request: Request) -> None:
    """Take no form that another site's page sends in a browser's name."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise ProblemError(Problem(Kind.NOT_PERMITTED, "The form was sent from another site."))


async def _token(request: Request) -> str:
    try:
        async with asyncio.timeout(FORM_WITHIN):
            body = await bounded(request, MOST_FORM)
    except TimeoutError:
        problem = Problem(Kind.INVALID_REQUEST, "The form took too long to arrive.", status=408)
        raise ProblemError(problem, {"Connection": "close"}) from None
    fields = parse_qs(body.decode("ascii", "replace"))
    # People paste what a terminal shows: line breaks and a leading "Bearer" are no part of a token.
    return "".join(fields.get("token", [""])[0].removeprefix("Bearer ").split())
