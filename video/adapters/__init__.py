"""Video platforms behind one interface."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from video.adapters.base import Adapter
from video.adapters.bigbluebutton import BigBlueButton
from video.adapters.errors import OperatorActionNeeded
from video.adapters.jitsi import Jitsi
from video.adapters.static import StaticLink
from video.adapters.teams import Teams
from video.adapters.webex import Webex, WebexWebinar
from video.adapters.zoom import ZoomMeeting, ZoomWebinar
from video.models import HostAccount, Platform

ADAPTERS: dict[str, type[Adapter]] = {
    Platform.STATIC: StaticLink,
    Platform.ZOOM_WEBINAR: ZoomWebinar,
    Platform.ZOOM_MEETING: ZoomMeeting,
    Platform.WEBEX: Webex,
    Platform.WEBEX_WEBINAR: WebexWebinar,
    Platform.TEAMS: Teams,
    Platform.BIGBLUEBUTTON: BigBlueButton,
    Platform.JITSI: Jitsi,
}


def adapter_class(platform: str) -> type[Adapter]:
    """The kind of adapter of a platform. Raises OperatorActionNeeded when nobody has connected it."""
    try:
        return ADAPTERS[platform]
    except KeyError:
        raise OperatorActionNeeded(
            _("This video platform is not connected. Choose “Fixed address” and enter the link by hand.")
        ) from None


def adapter_for(platform: str, account: HostAccount | None = None, *, within: float | None = None) -> Adapter:
    """The adapter of a platform under a host account. within: seconds for all its calls together.

    Raises OperatorActionNeeded when nobody has connected the platform, or credentials are missing.
    """
    return adapter_class(platform)(account, within=within)


__all__ = ["ADAPTERS", "Adapter", "adapter_class", "adapter_for"]
