"""Who comes: the right to attend, the people, their registrations, delegations and figures."""

from registration.models.admission import Admission, ApprovalMode, AttendanceMode, Category, Places, WaitingMode
from registration.models.announcement import (
    Announcement,
    AnnouncementKind,
    AnnouncementState,
    DifferentPeople,
)
from registration.models.api_grant import ApiGrant, Scope
from registration.models.asked import AskedFor
from registration.models.attendance import Certificate, CheckIn, DoorCode
from registration.models.consent import (
    AddressChange,
    Consent,
    ConsentSetting,
    ConsentSource,
    Farewell,
    Purpose,
    TakeDown,
)
from registration.models.delegation import Delegation, DelegationCapacity, FocalPoint
from registration.models.delegation_member import (
    CredentialLetter,
    Membership,
    MemberState,
    ParticipantList,
    Verification,
)
from registration.models.ending import Ending
from registration.models.figure import Figure, ImportKind, Measure, Qualifier
from registration.models.gateway import JoinNetwork, Rehearsal, RetiredLink
from registration.models.idempotency import IdempotencyKey
from registration.models.invitation import Invitation, InvitationKey, InvitationState
from registration.models.mail import BounceKind, MailBounce, OptOut
from registration.models.pair import SeatPair
from registration.models.participant import IdentityKey, Participant
from registration.models.protection import ProtectedParticipant
from registration.models.question import (
    KeptUpload,
    Question,
    QuestionAnswer,
    QuestionKind,
    QuestionOption,
    Readers,
)
from registration.models.registration import MOVES, Registration, RegistrationStatus
from registration.models.reserve import Reserve
from registration.models.retention import DeletionProof, ErasureReceipt, RetentionPeriod, RetentionStart
from registration.models.webhook import (
    DeliveryState,
    PauseReason,
    WebhookDelivery,
    WebhookEvent,
    WebhookState,
    WebhookSubscription,
)

__all__ = [
    "MOVES",
    "AddressChange",
    "Admission",
    "Announcement",
    "AnnouncementKind",
    "AnnouncementState",
    "ApiGrant",
    "ApprovalMode",
    "AskedFor",
    "AttendanceMode",
    "BounceKind",
    "Category",
    "Certificate",
    "CheckIn",
    "Consent",
    "ConsentSetting",
    "ConsentSource",
    "CredentialLetter",
    "Delegation",
    "DelegationCapacity",
    "DeletionProof",
    "DeliveryState",
    "DifferentPeople",
    "DoorCode",
    "Ending",
    "ErasureReceipt",
    "Farewell",
    "Figure",
    "FocalPoint",
    "IdempotencyKey",
    "IdentityKey",
    "ImportKind",
    "Invitation",
    "InvitationKey",
    "InvitationState",
    "JoinNetwork",
    "KeptUpload",
    "MailBounce",
    "Measure",
    "MemberState",
    "Membership",
    "OptOut",
    "Participant",
    "ParticipantList",
    "PauseReason",
    "Places",
    "ProtectedParticipant",
    "Purpose",
    "Qualifier",
    "Question",
    "QuestionAnswer",
    "QuestionKind",
    "QuestionOption",
    "Readers",
    "Registration",
    "RegistrationStatus",
    "Rehearsal",
    "Reserve",
    "RetentionPeriod",
    "RetentionStart",
    "RetiredLink",
    "Scope",
    "SeatPair",
    "TakeDown",
    "Verification",
    "WaitingMode",
    "WebhookDelivery",
    "WebhookEvent",
    "WebhookState",
    "WebhookSubscription",
]
