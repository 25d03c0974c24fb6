"""The public keys of an OpenID Connect issuer: discovered, kept, and fetched anew for a key id not seen before.

Anybody can send a token with a made-up key id, so such a fetch happens at most once in a while.
Source: OpenID Connect Discovery 1.0; RFC 7517.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import httpx
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from schemas.errors import UnreachableError
from schemas.log_events import LogEvent

ALGORITHMS = ("RS256", "PS256", "ES256", "Ed25519")
FRESH_FOR = 3600.0  # seconds
FETCH_PAUSE = 30.0
_WITHIN = 5.0
_DISCOVERY = "/.well-known/openid-configuration"

log = structlog.get_logger()


def spellings(issuer: str) -> tuple[str, str]:
    """Return an issuer's name without and with a slash at its end: a URL as a setting may have either."""
    bare = issuer.rstrip("/")
    return bare, bare + "/"


class IssuerKeys:
    """An issuer's keys over HTTP."""

    def __init__(self, issuer: str, client: httpx.AsyncClient, clock: Callable[[], float] = time.monotonic) -> None:
        """Take the issuer's URL, as its tokens name it."""
        self._issuer = issuer
        self._client = client
        self._clock = clock
        self._keys = KeySet([])
        self._fetched = -FRESH_FOR
        self._tried = -FETCH_PAUSE
        self._fetching = asyncio.Lock()

    async def of(self, kid: str | None) -> KeySet:
        """Return the issuer's keys. Raises UnreachableError where there are none yet."""
        async with self._fetching:
            if self._wanted(kid):
                await self._fetch()
        if not self._keys.keys:
            raise UnreachableError("the issuer of tokens")
        return self._keys

    def _wanted(self, kid: str | None) -> bool:
        known = kid is None or any(key.kid == kid for key in self._keys.keys)
        fresh = self._clock() - self._fetched < FRESH_FOR
        return not (known and fresh) and self._clock() - self._tried >= FETCH_PAUSE

    async def _fetch(self) -> None:
        self._tried = self._clock()
        try:
            keys = await self._published()
        except (httpx.HTTPError, httpx.InvalidURL, JoseError, ValueError, LookupError, TypeError) as error:
            # Known keys stay in use: an issuer that is away for an hour does not stop the bus.
            log.warning(LogEvent.ISSUER_KEYS_UNREACHABLE, error=type(error).__name__)
            return
        self._keys, self._fetched = keys, self._clock()
        log.info(LogEvent.ISSUER_KEYS_FETCHED, count=len(keys.keys))

    async def _published(self) -> KeySet:
        document = await self._json(self._issuer.rstrip("/") + _DISCOVERY)
        if document.get("issuer") not in spellings(self._issuer):
            raise ValueError
        keys = await self._json(document["jwks_uri"])
        return KeySet.import_key_set({"keys": keys["keys"]})

    async def _json(self, url: str) -> dict[str, Any]:
        answer = await self._client.get(url, timeout=_WITHIN)
        answer.raise_for_status()
        body = answer.json()
        if not isinstance(body, dict):
            raise TypeError
        return body
