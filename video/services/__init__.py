"""Changes to meetings and to who is in them.

door    addresses set by hand, and the door through which people go in
rooms   a meeting's life on its platform: ordered, made, moved, taken off
people  entering people one by one, and taking them out
hosts   host accounts: which one holds a meeting, and its daily budget
"""

from video.services.door import (
    Cancelled,
    Door,
    MeetingIsCancelled,
    NotReady,
    NotYet,
    OpenDoor,
    Over,
    TimeUnknown,
    cancel,
    mark_broken,
    open_door,
    save_address,
)
from video.services.people import Guest

__all__ = [
    "Cancelled",
    "Door",
    "Guest",
    "MeetingIsCancelled",
    "NotReady",
    "NotYet",
    "OpenDoor",
    "Over",
    "TimeUnknown",
    "cancel",
    "mark_broken",
    "open_door",
    "save_address",
]
