"""What the gateway's routes take and answer, for the OpenAPI document.

The routes read the request themselves (bounded, as bytes), so that the framework cannot know their bodies.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.attributes import JSON, STRUCTURED
from schemas.problem_document import problem

_ID = "6a0c7ab1-5bf2-4f0f-9a52-0b8a6f6a6c7e"
_CASE = "41bf18fc-565e-4426-8cff-222e1cda8c0f"
_DATA = {"progress": "better", "next_due": "2026-06-01"}
_EVENT = {
    "specversion": "1.0",
    "id": _ID,
    "source": "urn:samspil:party:sof",
    "type": "dk.samspil.follow-up-held.v1",
    "subject": _CASE,
    "time": "2026-03-02T11:00:00Z",
    "datacontenttype": "application/json",
    "data": _DATA,
}
_TEXT = {"type": "string"}


class VerdictBody(BaseModel):
    """What became of an event."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"id": _ID, "verdict": "accepted", "withheld": []}]})

    id: str | None = Field(description="The event's id; null where it had no readable one.")
    verdict: Literal["accepted", "refused", "pending"] = Field(description="Pending: not yet judged.")
    reason: str | None = Field(default=None, description="Why it was refused: a code of the catalogue.")
    paths: list[str] | None = Field(default=None, description="JSON pointers to what is at fault.")
    withheld: list[str] | None = Field(default=None, description="Parties it named that got no view of it.")
    duplicate: bool | None = Field(default=None, description="True where it repeats an accepted event.")


_PREFER = {
    "name": "Prefer",
    "in": "header",
    "required": False,
    "description": "`wait=SECONDS`: answer with the verdict, if it is there within so many seconds (bounded).",
    "schema": _TEXT,
    "example": "wait=10",
}
_ATTRIBUTES = [
    {
        "name": f"ce-{name}",
        "in": "header",
        "required": False,
        "description": f"Binary mode: the event's {name}.",
        "schema": _TEXT,
    }
    for name in (
        "specversion",
        "id",
        "source",
        "type",
        "subject",
        "time",
        "traceparent",
        "correlationid",
        "causationid",
    )
]
_STRUCTURED_SCHEMA = {
    "type": "object",
    "required": ["specversion", "id", "source", "type", "time", "datacontenttype", "data"],
    "properties": {
        "specversion": {"const": "1.0"},
        **dict.fromkeys(("id", "source", "type", "subject", "time", "datacontenttype"), _TEXT),
        **dict.fromkeys(("traceparent", "correlationid", "causationid"), _TEXT),
        "data": {
            "type": "object",
            "description": "The fields of the type, as `samspil schema export` writes them.",
        },
    },
    "additionalProperties": False,
}
SAY: dict[str, Any] = {
    "parameters": [_PREFER, *_ATTRIBUTES],
    "requestBody": {
        "required": True,
        "description": "One event, at most 64 KiB of data.",
        "content": {
            STRUCTURED: {"schema": _STRUCTURED_SCHEMA, "example": _EVENT},
            JSON: {
                "schema": {
                    "type": "object",
                    "description": "Binary mode: the data alone, attributes in ce- headers.",
                },
                "example": _DATA,
            },
        },
    },
}
SAY_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"model": VerdictBody, "description": "The verdict, where it was waited for."},
    202: {"model": VerdictBody, "description": "The broker has it; it is judged next."},
    413: problem("Too large: data of more than 64 KiB. Its verdict is in the problem."),
    415: problem("Not a content type for one event."),
    422: problem("Refused: the verdict, with the reason and the paths, is in the problem."),
    503: problem("The bus does not take events now; send it again under the same id."),
}
READ_RESPONSES: dict[int | str, dict[str, Any]] = {404: problem("No verdict on an event of yours with this id.")}
