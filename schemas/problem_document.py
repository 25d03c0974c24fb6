"""Problems as the OpenAPI document describes them."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from schemas.problems import MEDIA_TYPE

SCHEMA = "Problem"  # its name among the document's components


class ProblemBody(BaseModel):
    """Problem details (RFC 9457); a refusal adds its verdict."""

    type: str = Field(description="A URN that names the kind of problem.", examples=["urn:samspil:problem:refused"])
    title: str
    status: int
    detail: str | None = None
    id: str | None = None
    verdict: Literal["refused"] | None = None
    reason: str | None = Field(default=None, examples=["not_your_source"])
    paths: list[str] | None = Field(default=None, examples=[["/source"]])


def problem(description: str) -> dict[str, Any]:
    """Return an OpenAPI response that is a problem."""
    return {
        "description": description,
        "content": {MEDIA_TYPE: {"schema": {"$ref": f"#/components/schemas/{SCHEMA}"}}},
    }
