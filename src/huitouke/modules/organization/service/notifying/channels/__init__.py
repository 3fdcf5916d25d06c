"""The channels that come with the organization, one file each."""

from typing import Final

from huitouke.modules.organization.service.notifying.channels.email import EmailChannel
from huitouke.modules.organization.service.notifying.channels.group_robot import GroupRobotChannel
from huitouke.modules.organization.service.notifying.channels.wecom_app import WecomAppChannel
from huitouke.modules.organization.service.notifying.ways import NoticeChannel

CHANNELS: Final[tuple[NoticeChannel, ...]] = (WecomAppChannel(), EmailChannel(), GroupRobotChannel())
