"""Checkly's channels, groups, windows and texts among the server's parts."""

from starlette.routing import BaseRoute

from tocsin.app import checkly
from tocsin.app.settings import Settings
from tocsin.dialects.checkly.resources import routes as api
from tocsin.dialects.checkly.resources.channels import AlertChannels
from tocsin.dialects.checkly.resources.groups import CheckGroups
from tocsin.dialects.checkly.resources.services import Resources
from tocsin.dialects.checkly.resources.windows import Windows
from tocsin.dialects.checkly.services import Services
from tocsin.service.configuration import Configuration
from tocsin.service.members import Members
from tocsin.service.notices import Notices
from tocsin.service.principal import Principals
from tocsin.service.texts import Snippets, Variables
from tocsin.store.database import Database
from tocsin.store.members import SqlMembers
from tocsin.store.variables import SqlTexts


def resources(database: Database, services: Services, configuration: Configuration, notices: Notices) -> Resources:
    texts, told, bindings = SqlTexts(database), services.subscriptions, services.bindings
    members = Members(SqlMembers(database))
    channels = AlertChannels(services.channels, told, services.browsing, services.groups, members, bindings)
    windows = Windows(services.windows, services.groups, services.monitors, configuration.zone)
    groups = CheckGroups(services.groups, services.monitors, services.channels, told, windows, members, bindings)
    return Resources(channels, groups, windows, Variables(texts), Snippets(texts), notices)


def routes(settings: Settings, principals: Principals, services: Services, found: Resources) -> list[BaseRoute]:
    if not settings.dialects.checkly:
        return []
    return api.routes(services, found, checkly.door(settings, principals))
