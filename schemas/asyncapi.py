"""The bus as an AsyncAPI 3 document: every topic, who may send and receive on it, and what a message holds."""

from collections.abc import Iterable
from typing import Any, TypeAlias

from schemas import topics
from schemas.contract import Contract
from schemas.envelope import type_of
from schemas.json_schema import data_schema
from schemas.rights import rights
from schemas.topics import Topic

VERSION = "3.0.0"
Document: TypeAlias = dict[str, Any]
_VIEW, _VERDICT, _RECORD, _RELEASE = "view", "verdict", "record", "release"


def document(contract: Contract) -> Document:
    """Return the document of a bus with this contract."""
    listed = topics.catalogue(contract.parties)
    return {
        "asyncapi": VERSION,
        "id": "urn:samspil",
        "info": {
            "title": "samspil",
            "version": f"{contract.version}",
            "description": f"Contract valid from {contract.valid_from.isoformat()}, digest {contract.digest}.",
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(contract, topic) for topic in listed},
        "operations": dict(_operations(contract)),
        "components": {"messages": _messages(contract)},
    }


def _channel(contract: Contract, topic: Topic) -> Document:
    names = _messages_of(contract, topic.name)
    return {
        "address": topic.name,
        "description": topic.purpose,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {
            "kafka": {
                "partitions": topic.partitions,
                "topicConfiguration": {name: _setting(name, value) for name, value in topic.settings},
                "bindingVersion": "0.5.0",
            }
        },
    }


def _setting(name: str, value: str) -> object:
    """Return a broker setting in the form that AsyncAPI's Kafka binding has for it."""
    if name == "cleanup.policy":
        return value.split(",")
    return int(value) if value.isdecimal() else value


def _messages_of(contract: Contract, topic: str) -> list[str]:
    """Return the names of the messages on a topic: in an inbox, what that party may come to say."""
    for party in contract.parties:
        if topic == topics.inbox(party):
            return [name for name, type_ in contract.types.items() if type_.publishers != ("bus",)]
        if topic == topics.views(party):
            return [_VIEW]
        if topic == topics.refusals(party):
            return [_VERDICT]
    if topic == topics.STATISTICS:
        return [_RELEASE]
    return list(contract.types) if topic in {topics.ADMITTED, topics.LOG} else [_RECORD]


def _operations(contract: Contract) -> Iterable[tuple[str, Document]]:
    """Yield one operation for each right to write or read a topic."""
    actions = {"WRITE": "send", "READ": "receive"}
    for right in rights(contract.parties):
        if right.kind == "TOPIC" and right.operation in actions:
            action = actions[right.operation]
            yield (
                f"{right.principal}.{action}.{right.name}",
                {"action": action, "title": right.principal, "channel": {"$ref": f"#/channels/{right.name}"}},
            )


def _messages(contract: Contract) -> Document:
    events = {name: _event(contract, name) for name in contract.types}
    return {
        **events,
        _VIEW: {
            "title": "What a recipient may see of an event",
            "headers": _headers(["causationid"]),
            "payload": _object("fields", "refs", "case_refs", "grounds", "contract"),
        },
        _VERDICT: {
            "title": "What a publisher is told: a refusal, or that it said something twice",
            "payload": {
                "type": "object",
                "properties": {"verdict": {"enum": ["refused", "accepted"]}},
                "required": ["id", "verdict"],
            },
        },
        _RELEASE: {
            "title": "A year's counts: every number a multiple of five, or null where it is hidden",
            "payload": _object("year", "least", "base", "populations", "medians"),
        },
        _RECORD: {"title": "A record of the bus's own", "payload": {"type": "object"}},
    }


def _event(contract: Contract, name: str) -> Document:
    type_ = contract.types[name]
    return {
        "name": type_of(name),
        "title": type_.da,
        "headers": _headers(["subject"] if type_.has_case else []),
        "payload": {
            "schemaFormat": "application/schema+json;version=draft-2020-12",
            "schema": data_schema(contract, type_),
        },
    }


def _headers(more: list[str]) -> Document:
    names = [f"ce_{name}" for name in ("specversion", "id", "source", "type", "time", *more)]
    return _object(*names, "content-type")


def _object(*names: str) -> Document:
    return {"type": "object", "properties": {name: {} for name in names}, "required": list(names)}
