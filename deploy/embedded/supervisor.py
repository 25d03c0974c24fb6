"""Keeps the parts running: what ends is started again, after a pause that grows while it keeps ending."""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from deploy.embedded import home
from deploy.embedded.parts import MISCONFIGURED, Part
from deploy.embedded.processes import Child, Children
from schemas.errors import SamspilError

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 30.0
STEADY_SECONDS = 60.0  # having run this long, a part has earned the first pause again
PROBE_SECONDS = 2.0


@dataclass
class _Kept:
    """One part and its present child."""

    part: Part
    child: Child | None = None
    started: float = 0.0
    again_at: float = 0.0
    pause: float = FIRST_PAUSE_SECONDS
    restarts: int = 0
    is_back: bool = True  # said to be ready since it was last started
    state: home.PartState = "starting"

    def seen(self) -> home.Part:
        pid = self.child.pid if self.child and self.state in ("starting", "ready") else None
        return home.Part(state=self.state, pid=pid, restarts=self.restarts)


class Supervisor:
    """Launches parts and looks after them, one `look` at a time; it never blocks for long."""

    def __init__(self, children: Children, say: Callable[[str], None]) -> None:
        self._children = children
        self._say = say
        self._kept: dict[str, _Kept] = {}
        self._probed = 0.0

    def launch(self, part: Part) -> None:
        """Start a part and wait until it is ready, or raise with the end of its log."""
        kept = self._kept.setdefault(part.name, _Kept(part))
        began = time.monotonic()
        kept.child, kept.started = part.launch(self._children), began
        kept.child.wait_ready(part.is_ready, part.seconds)
        kept.state = "ready"
        self._say(f"{part.name} is ready ({time.monotonic() - began:.1f} s)")

    def seen(self) -> dict[str, home.Part]:
        return {name: kept.seen() for name, kept in self._kept.items()}

    def look(self) -> None:
        """Notice who ended, start again whose pause is over, and ask the others how they are."""
        for kept in self._kept.values():
            self._look_after(kept)
        if time.monotonic() - self._probed > PROBE_SECONDS:
            self._probed = time.monotonic()
            for kept in self._kept.values():
                if kept.state in ("starting", "ready"):
                    self._ask(kept)

    def stop(self, names: Iterable[str]) -> None:
        """Stop these parts, all at the same time."""
        running = [kept for name in names if (kept := self._kept.get(name)) and kept.child]
        with ThreadPoolExecutor(max(len(running), 1)) as pool:
            for done in [pool.submit(self._stop, kept) for kept in running]:
                done.result()

    def _stop(self, kept: _Kept) -> None:
        if kept.child:
            kept.child.stop()
            kept.state = "stopped"

    def _look_after(self, kept: _Kept) -> None:
        now = time.monotonic()
        if kept.state == "waiting" and now >= kept.again_at:
            self._launch_again(kept)
        elif kept.state in ("starting", "ready") and kept.child and (code := kept.child.exit_code()) is not None:
            kept.child.kill()  # whatever it left in its group
            if code == MISCONFIGURED:
                kept.state = "failed"
                self._say(f"{kept.part.name} refuses to start; see {kept.child.command.log}")
            else:
                self._put_off(kept, f"ended with code {code}")

    def _ask(self, kept: _Kept) -> None:
        kept.state = "ready" if kept.part.is_ready() else "starting"
        if kept.state == "ready" and not kept.is_back:
            kept.is_back = True
            self._say(f"{kept.part.name} is ready again ({time.monotonic() - kept.started:.1f} s)")

    def _put_off(self, kept: _Kept, why: str) -> None:
        now = time.monotonic()
        kept.pause = FIRST_PAUSE_SECONDS if now - kept.started > STEADY_SECONDS else kept.pause
        kept.state, kept.again_at = "waiting", now + kept.pause
        self._say(f"{kept.part.name} {why}; it is started again in {kept.pause:.1f} s")
        kept.pause = min(kept.pause * 2, LONGEST_PAUSE_SECONDS)

    def _launch_again(self, kept: _Kept) -> None:
        kept.restarts += 1
        kept.started = time.monotonic()
        try:
            kept.child = kept.part.launch(self._children)
        except (SamspilError, OSError) as error:
            self._put_off(kept, f"could not be started ({type(error).__name__})")
        else:
            kept.state, kept.is_back = "starting", False
