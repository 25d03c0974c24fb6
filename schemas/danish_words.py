"""The contract's closed words in Danish, for those who answer for the processing: they read no code.

Parties and events bring their Danish names with them; what they are called here has none in the contract. A test
holds these against the closed sets, so that no word is without its Danish.
"""

import re
from collections.abc import Mapping

CLASSES = (
    "ingen personoplysninger",
    "pseudonyme sagsoplysninger",
    "identitet",
    "følsomme eller rent private forhold",
    "strafbare forhold",
)

KINDS: Mapping[str, str] = {
    "administration": "forvaltning",
    "unit": "enhed",
    "secretariat": "sekretariat",
    "police": "politi",
    "intelligence": "efterretningstjeneste",
    "authority": "anden myndighed",
    "housing": "boligorganisation",
    "association": "forening",
    "city": "anden by",
    "political": "politisk udvalg",
    "oversight": "tilsyn",
}

# Who may say something, and whom a rule means, beside parties and kinds.
ROLES: Mapping[str, str] = {
    "any": "enhver part",
    "bus": "bussen selv",
    "owner": "sagens ejer",
    "old_owner": "den tidligere ejer",
    "new_owner": "den kommende ejer",
    "invited": "de indkaldte til mødet",
    "attended": "mødets deltagere",
    "provider": "udføreren af indsatsen",
    "informed_provider": "udføreren, hvis den kendte indsatsen",
    "notifier": "den part, der rejste bekymringen",
    "named": "de modtagere, hændelsen nævner",
    "recipient": "en modtager af hændelsen",
    "responsible": "den ansvarlige for fristen",
    "issuer": "afsenderen af berigtigelsen",
    "event_recipients": "modtagerne af den berigtigede hændelse",
    "case_recipients": "sagens hidtidige modtagere",
    "everyone": "alle parter",
}

PREDICATES: Mapping[str, str] = {
    "subject_is_child": "sagen angår et barn",
    "forum_permits": "parten hører til mødets forum",
    "consent_covers": "et samtykke nævner parten og formålet",
    "handover_basis": "barn, samtykke eller fælles møde bærer overdragelsen",
    "police_decided": "videregivelse til politiet er besluttet",
    "is_authority": "parten er en myndighed",
}

OBLIGATIONS: Mapping[str, str] = {
    "no_investigation_use": "må ikke bruges i efterforskning",
    "delete_on_withdrawal": "slettes, når samtykket trækkes tilbage",
}

DEADLINES: Mapping[str, str] = {
    "assessment_24h": "vurdering af underretning om et barn",
    "notifier_receipt": "kvittering til underretteren",
    "coordination_meeting": "koordinationsmøde",
    "first_follow_up": "første opfølgning",
    "follow_up": "næste opfølgning",
    "transfer": "systemovergang",
    "rights_request": "svar på anmodning fra den registrerede",
}

RETENTION: Mapping[str, str] = {
    "rejected_concern": "sag, hvor bekymringen blev afvist",
    "meeting_facts": "oplysninger fra egenopslag til et møde",
    "closed_case": "afsluttet sag",
    "views": "det, en part har fået at se, på bussen",
    "idle_case": "åben sag, hvor intet sker",
    "deposits": "værdier i boksen, som ingen hændelse nævner",
    "inbox": "det, en part har indsendt; tømmes, så snart det er behandlet",
    "ledger": "kvitteringer for videregivelse og læsning (uden værdier)",
}

STARTS: Mapping[str, str] = {
    "deposit": "værdien blev lagt i boksen",
    "the newest event of an open case": "den nyeste hændelse i sagen",
}

CONDITIONS: Mapping[str, str] = {
    "subject_is_child": PREDICATES["subject_is_child"],
    "no accepted event names it": "ingen hændelse nævner den",
}

_UNITS: Mapping[str, tuple[str, str]] = {
    "hours": ("time", "timer"),
    "days": ("dag", "dage"),
    "working days": ("hverdag", "hverdage"),
    "months": ("måned", "måneder"),
    "years": ("år", "år"),
}


def span(written: str) -> str:
    """Return a length of time such as `6 working days` or `1 month`."""
    number, unit = written.split(" ", 1)
    one, many = _UNITS[unit if unit in _UNITS else unit + "s"]
    return f"{number} {one if number == '1' else many}"


def condition(written: str | None) -> str:
    """Return a condition; one on an outcome keeps the contract's word for it."""
    if written is None:
        return ""
    outcome = re.fullmatch(r"outcome is (\w+)", written)
    return f"udfaldet er `{outcome[1]}`" if outcome else CONDITIONS[written]
