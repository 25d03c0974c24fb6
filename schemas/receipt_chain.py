"""The running digest of a case's receipts: what the ledger must hold of it, told in one line.

While a case stands each receipt can be derived again from the log. Once it is erased it cannot; then this digest, which
its stub keeps, still says whether a receipt was changed, added or taken away.
"""

import hashlib
from collections.abc import Sequence

from schemas.case import Chain


def chained(before: Chain, receipts: Sequence[bytes]) -> Chain:
    """Return the chain with the receipts of one event more, in the ledger's order. Source of the hash: FIPS 180-4."""
    if not receipts:
        return before
    seen = hashlib.sha256(bytes.fromhex(before.digest))
    seen.update(b"".join(receipts))
    return Chain(before.count + len(receipts), seen.hexdigest())
