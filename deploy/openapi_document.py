"""The OpenAPI document, completed: what the framework cannot know about our errors, and what it wrongly says.

It promises a 422 of its own for every parameter; ours is a problem with status 400.
"""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from schemas.problem_document import SCHEMA, ProblemBody, problem

_THEIRS = ("HTTPValidationError", "ValidationError")
_COMMON = {
    "400": problem("A parameter or the body is not of its form; `paths` says where."),
    "401": problem("No valid bearer token."),
    "403": problem("The token does not give this right."),
    "500": problem("Something went wrong here."),
}


def complete(app: FastAPI) -> None:
    """Make the application serve the completed document."""
    document: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        if not document:
            document.update(_completed(app))
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way


def _completed(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in _THEIRS:
        schemas.pop(name, None)
    schemas[SCHEMA] = ProblemBody.model_json_schema()
    for path in document["paths"].values():
        for operation in path.values():
            _complete(operation)
    return document


def _complete(operation: dict[str, Any]) -> None:
    answers: dict[str, Any] = operation["responses"]
    if _is_theirs(answers.get("422")):
        del answers["422"]
    takes_input = "parameters" in operation or "requestBody" in operation
    common = ["500", *(["400"] if takes_input else []), *(["401", "403"] if "security" in operation else [])]
    for status in common:
        answers.setdefault(status, _COMMON[status])
    operation["responses"] = dict(sorted(answers.items()))


def _is_theirs(answer: Any) -> bool:
    content = (answer or {}).get("content", {}).get("application/json", {})
    return bool(content.get("schema", {}).get("$ref", "").endswith(_THEIRS[0]))
