"""The words of the contract that code stands behind: closed sets, so that file and functions cannot drift.

A contract file that uses another word is refused whole; the functions that implement these words are held
against these sets by a test.
"""

from collections.abc import Mapping
from types import MappingProxyType

KINDS = frozenset(
    {
        "administration",
        "unit",
        "secretariat",
        "police",
        "intelligence",
        "authority",
        "housing",
        "association",
        "city",
        "political",
        "oversight",
    }
)

# Whom `publishers` may name besides parties and kinds.
ANYONE, THE_BUS = "any", "bus"
PUBLISHER_ROLES = frozenset({"owner", "new_owner", "invited", "recipient"})

# predicate -> the reason that it withholds with
PREDICATES: Mapping[str, str] = MappingProxyType(
    {
        "subject_is_child": "not_a_child",
        "forum_permits": "forum_excludes_party",
        "consent_covers": "no_consent",
        "handover_basis": "no_handover_basis",
        "police_decided": "not_decided",
        "is_authority": "not_an_authority",
    }
)
CONSENT_PREDICATES = frozenset({"forum_permits", "consent_covers", "handover_basis"})  # these need a scope
CASE_PREDICATES = frozenset(PREDICATES) - {"is_authority"}  # these ask the case
OBLIGATIONS = frozenset({"no_investigation_use", "delete_on_withdrawal"})
BY_FORUM = "by_forum"  # the basis of a gate that has the basis of the meeting's forum

# recipient role -> the field of the event that it is resolved from (None: the case alone says it)
RECIPIENT_ROLES: Mapping[str, str | None] = MappingProxyType(
    {
        "owner": None,
        "old_owner": None,
        "new_owner": "transfer",
        "invited": "meeting",
        "attended": "meeting",
        "provider": "measure",
        "informed_provider": "measure",
        "notifier": "concern",
        "named": "recipients",
        "responsible": "responsible",
        "issuer": "correction",
        "event_recipients": "corrects",
        "case_recipients": None,
        "everyone": None,
    }
)
CASELESS_ROLES = frozenset({"everyone"})

# Events whose refs `case_refs` may name; `dossier` is that of the transfer which this event accepts.
CASE_REF_SOURCES = ("concern-raised", "child-notification-forwarded", "relative-support-started")
DOSSIER, DOSSIER_EVENT = "dossier", "transfer-accepted"

# type of event -> the reasons that its `needs` may give
NEEDS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "concern-raised": frozenset({"signs_insufficient", "observed_in_future"}),
        "child-notification-forwarded": frozenset({"not_a_child"}),
        "notifier-receipted": frozenset({"unknown_event"}),
        "concern-screened": frozenset(
            {"child_screened_by_sof", "already_screened", "transfer_pending", "owner_not_eligible"}
        ),
        "meeting-scheduled": frozenset(
            {
                "not_coordinating",
                "duplicate_meeting",
                "forum_age",
                "ssd_limit",
                "invited_not_eligible",
                "forum_excludes_party",
            }
        ),
        "register-check-requested": frozenset({"unknown_meeting"}),
        "register-check-answered": frozenset({"unknown_meeting", "not_invited", "not_requested", "check_expired"}),
        "meeting-held": frozenset({"unknown_meeting", "attended_not_invited"}),
        "meeting-cancelled": frozenset({"unknown_meeting"}),
        "consent-recorded": frozenset({"not_active", "duplicate_consent", "unknown_consent"}),
        "measure-started": frozenset({"not_active", "duplicate_measure", "provider_not_eligible"}),
        "measure-ended": frozenset({"unknown_measure"}),
        "exit-enrolled": frozenset({"not_active", "not_voluntary"}),
        "transfer-initiated": frozenset(
            {"not_active", "duplicate_transfer", "transfer_pending", "recipient_not_eligible"}
        ),
        "transfer-accepted": frozenset({"unknown_transfer", "no_handover_basis"}),
        "transfer-declined": frozenset({"unknown_transfer"}),
        "transfer-cancelled": frozenset({"unknown_transfer"}),
        "police-disclosure-decided": frozenset({"no_threat", "two_deciders"}),
        "case-closed": frozenset({"transfer_pending"}),
        "correction-issued": frozenset({"not_your_event", "not_correctable"}),
        "correction-acknowledged": frozenset({"nothing_to_acknowledge"}),
        "rights-request-answered": frozenset({"unknown_event"}),
    }
)

# Deadlines are named by the `deadline` field of deadline-passed.
DEADLINES = frozenset(
    {
        "assessment_24h",
        "notifier_receipt",
        "coordination_meeting",
        "first_follow_up",
        "follow_up",
        "transfer",
        "rights_request",
    }
)
RESPONSIBLE_ROLES = frozenset({"owner", "new_owner"})
LENGTH_UNITS = frozenset({"hours", "working days", "days", "months"})
SUBJECT_IS_CHILD = "subject_is_child"  # a condition; the other is `outcome is VALUE`

RETENTION = frozenset(
    {
        "rejected_concern",
        "meeting_facts",
        "closed_case",
        "views",
        "idle_case",
        "deposits",
        "inbox",
        "ledger",
    }
)
KEEP_UNITS = frozenset({"days", "months", "years"})
KEPT_FROM = frozenset({"deposit", "the newest event of an open case"})  # or the name of an event
KEPT_WHILE = frozenset({"no accepted event names it"})  # or `outcome is VALUE`
TRUNCATED = "truncated as soon as admitted"
