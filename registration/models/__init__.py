"""Who comes: the right to attend, the people, their registrations, delegations and figures."""

from registration.models.admission import Admission, ApprovalMode, AttendanceMode, Category, Places, WaitingMode
from registration.models.attendance import Certificate, CheckIn, DoorCode
from registration.models.delegation import Delegation, DelegationCapacity, FocalPoint
from registration.models.delegation_member import (
    CredentialLetter,
    Membership,
    MemberState,
    ParticipantList,
    Verification,
)
from registration.models.figure import Figure, Measure, Qualifier
from registration.models.idempotency import IdempotencyKey
from registration.models.participant import IdentityKey, Participant
from registration.models.registration import MOVES, Registration, RegistrationStatus

__all__ = [
    "MOVES",
    "Admission",
    "ApprovalMode",
    "AttendanceMode",
    "Category",
    "Certificate",
    "CheckIn",
    "CredentialLetter",
    "Delegation",
    "DelegationCapacity",
    "DoorCode",
    "Figure",
    "FocalPoint",
    "IdempotencyKey",
    "IdentityKey",
    "Measure",
    "MemberState",
    "Membership",
    "Participant",
    "ParticipantList",
    "Places",
    "Qualifier",
    "Registration",
    "RegistrationStatus",
    "Verification",
    "WaitingMode",
]
