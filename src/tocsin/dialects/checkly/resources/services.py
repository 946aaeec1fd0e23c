"""The use cases of this folder, for its calls and for deployments."""

from dataclasses import dataclass

from tocsin.dialects.checkly.resources.channels import AlertChannels
from tocsin.dialects.checkly.resources.groups import CheckGroups
from tocsin.dialects.checkly.resources.windows import Windows
from tocsin.service.notices import Notices
from tocsin.service.texts import Snippets, Variables


@dataclass(frozen=True, slots=True)
class Resources:
    channels: AlertChannels
    groups: CheckGroups
    windows: Windows
    variables: Variables
    snippets: Snippets
    notices: Notices
