"""Bearer tokens: the local issuer that makes them, and what is believed of any token.

A token says party (`sub`), roles, and for reads of the vault a pseudonymous `actor`. Which roles a party may
have is held against schemas/identity.py when a token is made and again when one is taken, so that no
issuer can give more. Algorithms are pinned by the verifier, never taken from the token.
"""

import os
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OKPKey
from joserfc.util import urlsafe_b64decode

from schemas.errors import MisconfiguredError, NotPermittedError, SamspilError
from schemas.identity import Identity, Role, check_roles

ISSUER = "urn:samspil:issuer:local"
AUDIENCE = "samspil"
LOCAL_ALGORITHM = "Ed25519"  # RFC 9864's name of it
LIFETIME = timedelta(hours=12)
LEEWAY = 30  # seconds between two clocks
LONGEST_TOKEN = 8 * 1024
_KEY_FILE = "ed25519.json"

Clock = Callable[[], datetime]


class InvalidTokenError(SamspilError):
    """The bearer token is not valid here:"""


class Keys(Protocol):
    """Where a verifier gets an issuer's public keys from."""

    async def of(self, kid: str | None) -> KeySet:
        """Return the keys, among them, if it exists, the one with this id. Raises UnreachableError."""


@dataclass(frozen=True, slots=True)
class Trust:
    """Which tokens are believed: of this issuer, for this audience, signed so, for these parties."""

    issuers: tuple[str, ...]  # the spellings of its name
    audience: str
    algorithms: tuple[str, ...]
    parties: frozenset[str]


class LocalIssuer:
    """Makes tokens with a key of its own, kept in a directory that only its owner can read."""

    def __init__(self, directory: Path) -> None:
        """Open the issuer's key, or make it."""
        self._key = _opened(directory)
        self._public = KeySet([OKPKey.import_key(self._key.as_dict(private=False))])

    def mint(  # noqa: PLR0913 - each is a claim or the clock
        self,
        party: str,
        roles: Iterable[Role],
        *,
        parties: Collection[str],
        actor: UUID | None = None,
        lifetime: timedelta = LIFETIME,
        now: datetime | None = None,
    ) -> str:
        """Return a token for a party on the bus. Raises NotPermittedError for a role that it cannot have."""
        given = sorted(set(roles))
        if party not in parties:
            raise NotPermittedError("no such party is on the bus")
        check_roles(party, given)
        issued = now or datetime.now(UTC)
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": party,
            "roles": [str(role) for role in given],
            "iat": int(issued.timestamp()),
            "exp": int((issued + lifetime).timestamp()),
            **({} if actor is None else {"actor": str(actor)}),
        }
        header = {"alg": LOCAL_ALGORITHM, "kid": self._key.kid}
        return jwt.encode(header, claims, self._key, algorithms=[LOCAL_ALGORITHM])

    def trust(self, parties: Iterable[str]) -> Trust:
        """Return what makes a verifier believe this issuer."""
        return Trust((ISSUER,), AUDIENCE, (LOCAL_ALGORITHM,), frozenset(parties))

    async def of(self, _kid: str | None) -> KeySet:
        """Return the issuer's public key."""
        return self._public


def mint(  # noqa: PLR0913 - each is a claim
    directory: Path,
    party: str,
    roles: Iterable[Role],
    *,
    parties: Collection[str],
    actor: UUID | None = None,
    lifetime: timedelta = LIFETIME,
) -> str:
    """Return a token of the local issuer whose key is in this directory (made at the first use)."""
    return LocalIssuer(directory).mint(party, roles, parties=parties, actor=actor, lifetime=lifetime)


class Verifier:
    """Tells who a bearer token speaks for."""

    def __init__(self, trust: Trust, keys: Keys, now: Clock = lambda: datetime.now(UTC)) -> None:
        """Take what to believe, the issuer's keys, and the wall clock."""
        self._trust = trust
        self._keys = keys
        self._now = now

    async def verify(self, token: str) -> Identity:
        """Return the identity. Raises InvalidTokenError; UnreachableError where the keys cannot be had."""
        if len(token) > LONGEST_TOKEN:
            raise InvalidTokenError("too long")
        header = _header(token)
        if header.get("alg") not in self._trust.algorithms:
            raise InvalidTokenError("algorithm")
        kid = header.get("kid")
        keys = await self._keys.of(kid if isinstance(kid, str) else None)
        try:
            claims = jwt.decode(token, keys, algorithms=list(self._trust.algorithms)).claims
            self._claims().validate(claims)
        except (JoseError, ValueError, TypeError) as error:
            raise InvalidTokenError(type(error).__name__) from None
        return identity_of(claims, self._trust.parties)

    def _claims(self) -> jwt.JWTClaimsRegistry:
        return jwt.JWTClaimsRegistry(
            now=int(self._now().timestamp()),
            leeway=LEEWAY,
            iss={"essential": True, "values": list(self._trust.issuers)},
            aud={"essential": True, "value": self._trust.audience},
            sub={"essential": True},
            exp={"essential": True},
        )


def identity_of(claims: dict[str, Any], parties: frozenset[str]) -> Identity:
    """Return who the claims speak for. Roles that are not ours are left out. Raises InvalidTokenError."""
    party, given = claims.get("sub"), claims.get("roles")
    if party not in parties or not isinstance(given, list):
        raise InvalidTokenError("party or roles")
    roles = frozenset(role for role in Role if role.value in given)
    try:
        check_roles(party, roles)
    except NotPermittedError:
        raise InvalidTokenError("a role that this party cannot have") from None
    return Identity(party, roles, _actor(claims.get("actor")))


def _actor(claim: object) -> str | None:
    if claim is None:
        return None
    try:
        return str(UUID(claim)) if isinstance(claim, str) else _not_an_actor()
    except ValueError:
        return _not_an_actor()


def _not_an_actor() -> str:
    raise InvalidTokenError("actor")


def _header(token: str) -> dict[str, Any]:
    try:
        header = orjson.loads(urlsafe_b64decode(token.partition(".")[0].encode()))
    except ValueError:
        raise InvalidTokenError("form") from None
    return header if isinstance(header, dict) else {}


def _opened(directory: Path) -> OKPKey:
    path = directory / _KEY_FILE
    if not path.exists():
        _make(path)
    if path.stat().st_mode & 0o077:
        raise MisconfiguredError(f"{path} must be readable by its owner alone (chmod 600).")
    return OKPKey.import_key(orjson.loads(path.read_bytes()))


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = OKPKey.generate_key("Ed25519", auto_kid=True)
    draft = path.with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(orjson.dumps(key.as_dict(private=True)))
    try:
        os.link(draft, path)  # whoever comes first wins; a second process takes the first one's key
    except FileExistsError:
        pass
    finally:
        draft.unlink()
