"""A request's body, read no further than it may be long."""

from fastapi import Request

from schemas.problems import Kind, Problem, ProblemError


async def bounded(request: Request, most: int) -> bytes:
    """Return a body of at most so many bytes. Raises ProblemError as soon as it is longer, or says that it will be."""
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > most:
        raise ProblemError(Problem(Kind.TOO_LARGE))
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise ProblemError(Problem(Kind.TOO_LARGE))
    return bytes(body)
