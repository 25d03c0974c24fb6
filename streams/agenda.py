"""When each case of a partition must be looked at again: a heap of instants, so that a tick asks one of them only."""

import heapq


class Agenda:
    """Instants (RFC 3339, as text) by key; the newest note on a key counts."""

    def __init__(self) -> None:
        self._at: dict[str, str] = {}
        self._heap: list[tuple[str, str]] = []

    def note(self, key: str, at: str | None) -> None:
        """Note when to look at a key; None: never."""
        before = self._at.get(key)
        if at is None:
            self._at.pop(key, None)
            return
        self._at[key] = at
        # What moves later is found where it stood before, and moved on then: a case whose term begins anew with each
        # event would otherwise leave an entry for each.
        if before is None or at < before:
            heapq.heappush(self._heap, (at, key))

    def any_due(self, now: str) -> bool:
        """Whether a key is to be looked at by now."""
        self._settle(now)
        return bool(self._heap) and self._heap[0][0] <= now

    def due(self, now: str, most: int) -> list[str]:
        """Return keys to be looked at by now, the longest due first, and forget them."""
        found: list[str] = []
        while len(found) < most and self.any_due(now):
            _, key = heapq.heappop(self._heap)
            del self._at[key]
            found.append(key)
        return found

    def _settle(self, now: str) -> None:
        """Bring the first entry to where its key stands."""
        while self._heap and self._heap[0][0] <= now:
            at, key = self._heap[0]
            current = self._at.get(key)
            if current == at:
                return
            heapq.heappop(self._heap)
            if current is not None and current > at:
                heapq.heappush(self._heap, (current, key))
