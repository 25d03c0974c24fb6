"""What each reason of a refusal means, in plain words: the codes are the catalogue's, and a person reads these.

Words tell whoever the case does not concern no more of it than their code does.
"""

from collections.abc import Mapping
from types import MappingProxyType

from schemas import orders
from streams.dead_letters import INTERNAL

MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        # of orders: told to the data protection officer alone
        **{code: words.removesuffix(".") for code, words in orders.REFUSED.items()},
        # of the event by itself
        "bad_envelope": "no CloudEvent of the catalogue: an attribute is missing, superfluous or not well formed",
        "too_large": "it is larger than the 64 KiB of data that an event may hold",
        "not_your_source": "its source is not the party that says it, or no party of the contract",
        "clock_ahead": "its time is more than five minutes ahead",
        "unknown_type": "the catalogue has no such type",
        "not_a_publisher": "its publisher does not say this type, or not in this case",
        "schema": "a field of its data is missing, unknown or not of the form that the catalogue gives it",
        "unknown_ref": "its publisher put nothing into the vault under this reference for this case and field",
        # of the case
        "id_taken": "another event of this case has this id",
        "unknown_case": "there is no such case for its publisher",
        "case_exists": "it would open a case that is there already",
        "case_closed": "the case is closed",
        "case_full": "the case holds 1,000 events",
        "not_taken": "the case does not take it as it stands",
        INTERNAL: "the bus could not judge it, and noted where it stands; it may be said again",
        # of what the type needs
        "already_screened": "another party screened the case, or it names another owner than the case has",
        "attended_not_invited": "a party that attended was not invited",
        "check_expired": "the time for answering the register check is over",
        "child_screened_by_sof": "a child's case is screened by the social services",
        "duplicate_consent": "a consent has this id already",
        "duplicate_measure": "a measure has this id already",
        "duplicate_meeting": "a meeting has this id already",
        "duplicate_transfer": "a transfer has this id already",
        "forum_age": "the forum is not for people of the age that the concerns give",
        "forum_excludes_party": "a party that is invited is not of the forum or, where that is consent, in none",
        "invited_not_eligible": "a party that is invited holds no case data, oversees, or is the coordination unit",
        "no_handover_basis": "no child's case, no consent to it, no meeting of owner and publisher",
        "no_threat": "the police are told only of a threat to society",
        "not_a_child": "no concern that stands says that the person is a child",
        "not_active": "the case was not screened as one to be worked on",
        "not_coordinating": "the case was not screened for coordination",
        "not_correctable": "a correction or its acknowledgement is not corrected",
        "not_invited": "its publisher is not invited to the meeting",
        "not_requested": "no register check was requested for the meeting",
        "not_voluntary": "exit is voluntary",
        "not_your_event": "it corrects what its publisher did not say in this case",
        "nothing_to_acknowledge": "its publisher was told of no such correction, or has acknowledged it",
        "observed_in_future": "it was observed after the day on which it is said",
        "owner_not_eligible": "a case is owned by an administration or a unit, and not by the coordination unit",
        "provider_not_eligible": "measures are provided by an administration, a unit or an authority",
        "recipient_not_eligible": "a case goes to another administration, unit or authority, but never to ku",
        "signs_insufficient": "it takes one serious act observed, or two others",
        "ssd_limit": "two ssd meetings of the case are held or scheduled",
        "transfer_pending": "a transfer of the case waits for its answer",
        "two_deciders": "two different persons must decide it",
        "unknown_consent": "no consent with this id, these recipients and this scope is in force",
        "unknown_event": "the case has no such concern or request",
        "unknown_measure": "no measure with this id is open",
        "unknown_meeting": "no meeting with this id is to be held",
        "unknown_transfer": "no transfer with this id is pending",
    }
)
