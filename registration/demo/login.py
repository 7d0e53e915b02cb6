"""The log-ins of the demo: made anew for each checkout, kept beside its data, printed at every start."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from django.db import transaction

from accounts.models import User

EMAIL = "organiser@demo.example"
FOCAL_POINT = "focal.point@demo.example"  # of the delegation of the workshop
_WORDS = (  # noqa: SIM905 - a word a line would be longer than the module
    "acorn amber anchor apple arbor aspen autumn badger bamboo barley basin beacon birch bishop bottle bramble "
    "breeze bridge bronze brook candle canyon carbon carpet castle cedar cellar chalk cherry circle clover cobalt "
    "coffee comet copper coral cotton cradle crane cricket crystal cypress daisy delta desert dolphin dragon "
    "eagle ebony ember engine falcon feather fennel fiddle flint forest fossil garden garlic gentian ginger "
    "glacier granite grape gravel hammer harbor harvest hazel heron hollow honey hornet indigo island ivory "
    "jasmine juniper kernel kettle ladder lagoon lantern laurel lemon lilac linen lizard lobster lumber magnet "
    "magpie maple marble meadow melon mirror mitten monsoon mortar mustard nectar needle nettle nickel nutmeg "
    "oasis ocean olive onion opal orbit orchard otter oyster paddle papaya parrot pebble pepper pewter pillow "
    "plum pollen poplar prairie quartz quiver rabbit raven reed ribbon river rocket rosemary saddle saffron "
    "salmon sandal scarlet shadow silver sparrow spruce summit sunset swallow tangerine thistle thunder timber "
    "topaz torch tulip tundra turnip valley velvet violet walnut willow winter zephyr"
).split()
_LENGTH = 6  # words: 44 bits, for a site that only this machine reaches


def pass_phrase() -> str:
    """A fresh pass phrase of words that can be typed without looking twice."""
    return "-".join(secrets.choice(_WORDS) for _number in range(_LENGTH))


def ensure(file: Path, email: str = EMAIL) -> str | None:
    """Give a user of the demo a pass phrase, once; the organiser, who may do everything, is made when missing.

    Gives the pass phrase; None when a person has set another one. file: where it is kept, readable by its owner only.
    Raises User.DoesNotExist for anybody else who is not there.
    """
    kept = file.read_text(encoding="utf-8").strip() if file.exists() else ""
    with transaction.atomic():
        user = User.objects.filter(email=email).first()
        if user is not None and kept:
            return kept if user.check_password(kept) else None
        phrase = kept or pass_phrase()
        if user is None and email == EMAIL:
            User.objects.create_superuser(EMAIL, phrase, name="Demo organiser")
        else:  # the file was lost: nobody could know the old one; or nobody has set one yet
            user = user or User.objects.get(email=email)
            user.set_password(phrase)
            user.save(update_fields=["password"])
        _keep(file, phrase)
    return phrase


def _keep(file: Path, phrase: str) -> None:
    """Write the file so that nobody else can ever read it, not even for a moment."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(phrase + "\n")
    draft.replace(file)
