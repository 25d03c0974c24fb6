"""Where the contracts lie: what ships, and its source where that is at hand."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
POLICIES = ROOT / "deploy" / "policies"
IN_FORCE = POLICIES / "2026-01-01"
SOURCE = ROOT.parent / "shared" / "contract"
