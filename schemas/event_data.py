"""What every event's data is: a frozen, strict model whose fields carry their class.

`fields_of` says what a model holds in the catalogue's own words, so that contract and code are compared, not
believed.
"""

from functools import cache
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict

from schemas.contract import Field
from schemas.vocabulary import Class, Word


class EventData(BaseModel):
    """Data of an event: what is not listed is refused, and nothing is read as something else."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)


@cache
def fields_of(model: type[EventData]) -> MappingProxyType[str, Field]:
    """Return the fields of a model as the catalogue writes them, in order."""
    hints = get_type_hints(model, include_extras=True)
    fields = {name: Field(name, _class_of(hints[name]), _word_of(hints[name])) for name in model.model_fields}
    return MappingProxyType(fields)


def _class_of(hint: object) -> int:
    return next(mark.level for mark in get_args(hint)[1:] if isinstance(mark, Class))


def _word_of(hint: object) -> str:
    """Return the catalogue's word: a scalar or {an, enum}, `[]` after a list, `?` after an option."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return next((mark.name for mark in parts[1:] if isinstance(mark, Word)), None) or _word_of(parts[0])
    if origin is Literal:
        return "{" + ", ".join(parts) + "}"
    if origin is tuple:
        return _word_of(parts[0]) + "[]"
    if origin in (Union, UnionType):
        return _word_of(next(part for part in parts if part is not NoneType)) + "?"
    raise TypeError(f"the catalogue has no word for {hint}")
