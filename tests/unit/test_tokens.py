"""Tokens: what is made, what is believed, and everything that is not."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, OKPKey, RSAKey

from deploy import oidc, tokens
from deploy.oidc import IssuerKeys
from deploy.tokens import InvalidTokenError, LocalIssuer, Trust, Verifier
from schemas.errors import MisconfiguredError, NotPermittedError, UnreachableError
from schemas.identity import Identity, Role

PARTIES = frozenset({"ku", "sof", "revision", "dpo"})
NOW = datetime(2026, 3, 2, 11, tzinfo=UTC)


@pytest.fixture
def issuer(tmp_path: Path) -> LocalIssuer:
    return LocalIssuer(tmp_path / "issuer")


def verifier(issuer: LocalIssuer, now: datetime = NOW, parties: frozenset[str] = PARTIES) -> Verifier:
    return Verifier(issuer.trust(parties), issuer, lambda: now)


def a_token(issuer: LocalIssuer, **claims: Any) -> str:
    """A token of the issuer's own key, whatever it says; a claim of None is left out."""
    said = {
        "iss": tokens.ISSUER,
        "aud": tokens.AUDIENCE,
        "sub": "sof",
        "roles": ["publish"],
        "exp": int(NOW.timestamp()) + 60,
        **claims,
    }
    header = {"alg": tokens.LOCAL_ALGORITHM, "kid": issuer._key.kid}
    kept = {name: claim for name, claim in said.items() if claim is not None}
    return jwt.encode(header, kept, issuer._key, algorithms=[tokens.LOCAL_ALGORITHM])


async def test_a_token_says_party_roles_and_actor(issuer: LocalIssuer) -> None:
    actor = uuid4()
    token = issuer.mint("sof", [Role.PUBLISH, Role.RECEIVE], parties=PARTIES, actor=actor, now=NOW)
    expected = Identity("sof", frozenset({Role.PUBLISH, Role.RECEIVE}), str(actor))
    assert await verifier(issuer).verify(token) == expected


async def test_the_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    first, second = LocalIssuer(tmp_path / "issuer"), LocalIssuer(tmp_path / "issuer")
    token = first.mint("sof", [Role.PUBLISH], parties=PARTIES, now=NOW)
    assert (await verifier(second).verify(token)).party == "sof"
    (file,) = (tmp_path / "issuer").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(0o640)
    with pytest.raises(MisconfiguredError):
        LocalIssuer(tmp_path / "issuer")


@pytest.mark.parametrize(
    ("party", "role"),
    [("sof", Role.OVERVIEW), ("ku", Role.AUDIT), ("sof", Role.AUDIT), ("revision", Role.DPO), ("dpo", Role.OVERVIEW)],
)
async def test_reserved_roles_are_neither_made_nor_believed(issuer: LocalIssuer, party: str, role: Role) -> None:
    with pytest.raises(NotPermittedError):
        issuer.mint(party, [role], parties=PARTIES)
    with pytest.raises(InvalidTokenError):
        await verifier(issuer).verify(a_token(issuer, sub=party, roles=["publish", role]))


@pytest.mark.parametrize(
    ("party", "role"),
    [("ku", Role.OVERVIEW), ("revision", Role.AUDIT), ("dpo", Role.AUDIT), ("dpo", Role.DPO)],
)
async def test_who_may_have_a_reserved_role_has_it(issuer: LocalIssuer, party: str, role: Role) -> None:
    token = issuer.mint(party, [role], parties=PARTIES, now=NOW)
    assert role in (await verifier(issuer).verify(token)).roles


def test_a_token_for_nobody_on_the_bus_is_not_made(issuer: LocalIssuer) -> None:
    with pytest.raises(NotPermittedError):
        issuer.mint("ukendt", [Role.PUBLISH], parties=PARTIES)


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": int(NOW.timestamp()) - 3600},
        {"exp": None},
        {"exp": "soon"},
        {"aud": "another"},
        {"aud": None},
        {"iss": "urn:another"},
        {"iss": None},
        {"sub": "ukendt"},
        {"sub": None},
        {"sub": ["sof"]},
        {"roles": "publish"},
        {"roles": None},
        {"actor": "Testperson B"},
        {"actor": 7},
        {"nbf": int(NOW.timestamp()) + 3600},
    ],
)
async def test_a_claim_that_is_not_right_makes_the_token_invalid(issuer: LocalIssuer, claims: dict[str, Any]) -> None:
    with pytest.raises(InvalidTokenError):
        await verifier(issuer).verify(a_token(issuer, **claims))


async def test_roles_of_other_systems_are_left_out(issuer: LocalIssuer) -> None:
    token = a_token(issuer, roles=["publish", "offline_access", 7, None])
    assert (await verifier(issuer).verify(token)).roles == {Role.PUBLISH}


async def test_the_algorithm_is_ours_to_choose(issuer: LocalIssuer) -> None:
    good = a_token(issuer)
    head, claims, signature = good.split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    public = json.dumps(issuer._key.as_dict(private=False)).encode()
    hmac = jwt.encode({"alg": "HS256"}, {"sub": "ku"}, OctKey.import_key(public), algorithms=["HS256"])
    another = jwt.encode({"alg": "Ed25519"}, {"sub": "ku"}, OKPKey.generate_key("Ed25519"), algorithms=["Ed25519"])
    changed = f"{head}.{claims[:-4]}AAAA.{signature}"
    for token in (f"{none}.{claims}.", hmac, another, changed, "", ".", "a.b", "a.b.c", "ø", "x" * 10_000):
        with pytest.raises(InvalidTokenError):
            await verifier(issuer).verify(token)


@dataclass
class WebIssuer:
    """An OIDC issuer that a test can change."""

    url: str = ""
    keys: list[dict[str, Any]] = field(default_factory=list)
    named: str | None = None
    asked: int = 0
    away: bool = False


@contextmanager
def serving(issuer: WebIssuer) -> Iterator[None]:
    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.asked += 1
            discovery = {"issuer": issuer.named or issuer.url, "jwks_uri": f"{issuer.url}/keys"}
            body = {"keys": issuer.keys} if self.path == "/keys" else discovery
            self.send_response(500 if issuer.away else 200)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        issuer.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


@dataclass
class Seconds:
    """A clock that a test moves."""

    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


def oidc_token(issuer: WebIssuer, key: ECKey | RSAKey, algorithm: str, **claims: Any) -> str:
    said = {
        "iss": issuer.url,
        "aud": "samspil",
        "sub": "sof",
        "roles": ["publish"],
        "exp": int(NOW.timestamp()) + 60,
        **claims,
    }
    return jwt.encode({"alg": algorithm, "kid": key.kid}, said, key, algorithms=[algorithm])


def public(*keys: ECKey | RSAKey) -> list[dict[str, Any]]:
    return [dict(key.as_dict(private=False)) for key in keys]


async def test_an_oidc_issuer_is_discovered_and_a_new_key_fetched_but_not_for_every_made_up_one() -> None:
    old, new = ECKey.generate_key("P-256", auto_kid=True), RSAKey.generate_key(2048, auto_kid=True)
    issuer, clock = WebIssuer(keys=public(old)), Seconds()
    with serving(issuer):
        async with httpx.AsyncClient() as client:
            keys = IssuerKeys(issuer.url + "/", client, clock)
            trust = Trust(oidc.spellings(issuer.url), "samspil", oidc.ALGORITHMS, PARTIES)
            believed = Verifier(trust, keys, lambda: NOW)
            assert (await believed.verify(oidc_token(issuer, old, "ES256"))).party == "sof"
            await believed.verify(oidc_token(issuer, old, "ES256"))
            assert issuer.asked == 2, "discovery and keys, once"
            issuer.keys = public(old, new)
            clock.now += oidc.FETCH_PAUSE
            await believed.verify(oidc_token(issuer, new, "RS256"))
            asked = issuer.asked
            for _ in range(3):
                made_up = ECKey.generate_key("P-256", auto_kid=True)
                with pytest.raises(InvalidTokenError):
                    await believed.verify(oidc_token(issuer, made_up, "ES256"))
            assert issuer.asked == asked
            with pytest.raises(InvalidTokenError):
                await believed.verify(oidc_token(issuer, old, "ES256", iss="http://another"))
            with pytest.raises(InvalidTokenError):
                await believed.verify(oidc_token(issuer, old, "ES256", sub="sof", roles=["overview"]))


async def test_known_keys_stay_in_use_while_the_issuer_is_away() -> None:
    key = ECKey.generate_key("P-256", auto_kid=True)
    issuer, clock = WebIssuer(keys=public(key)), Seconds()
    with serving(issuer):
        async with httpx.AsyncClient() as client:
            keys = IssuerKeys(issuer.url, client, clock)
            assert len((await keys.of(key.kid)).keys) == 1
            issuer.away = True
            clock.now += oidc.FRESH_FOR + 1
            assert len((await keys.of(key.kid)).keys) == 1


@pytest.mark.parametrize("wrong", ["away", "named"])
async def test_an_issuer_that_is_away_or_names_another_gives_no_keys(wrong: str) -> None:
    issuer = WebIssuer(keys=public(ECKey.generate_key("P-256", auto_kid=True)))
    issuer.away, issuer.named = wrong == "away", "http://another" if wrong == "named" else None
    with serving(issuer):
        async with httpx.AsyncClient() as client:
            with pytest.raises(UnreachableError):
                await IssuerKeys(issuer.url, client, Seconds()).of("any")


async def test_the_local_issuer_gives_out_no_private_key(issuer: LocalIssuer) -> None:
    keys = await issuer.of(None)
    assert isinstance(keys, KeySet)
    assert all("d" not in key.as_dict() for key in keys.keys)
