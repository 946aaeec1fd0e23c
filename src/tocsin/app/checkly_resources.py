"""Checkly's channels, groups, windows and texts among the server's parts."""

from starlette.routing import BaseRoute

from tocsin.app import checkly
from tocsin.app.settings import Settings
from tocsin.dialects.checkly.resources import routes as api
from tocsin.dialects.checkly.resources.bindings import Bindings
from tocsin.dialects.checkly.resources.channels import AlertChannels
from tocsin.dialects.checkly.resources.services import Resources
from tocsin.dialects.checkly.resources.windows import Windows
from tocsin.dialects.checkly.services import Services
from tocsin.service.configuration import Configuration
from tocsin.service.principal import Principals
from tocsin.service.subscriptions import Subscriptions
from tocsin.service.texts import Snippets, Variables
from tocsin.store.database import Database
from tocsin.store.deploying import SqlDeployments
from tocsin.store.subscriptions import SqlSubscriptions
from tocsin.store.variables import SqlTexts


def resources(database: Database, services: Services, configuration: Configuration) -> Resources:
    texts, bindings = SqlTexts(database), Bindings(SqlDeployments(database))
    subscriptions = Subscriptions(SqlSubscriptions(database))
    channels = AlertChannels(services.channels, subscriptions, services.browsing, services.groups, bindings)
    windows = Windows(services.windows, services.groups, services.monitors, configuration.zone)
    return Resources(channels, windows, Variables(texts), Snippets(texts))


def routes(settings: Settings, principals: Principals, found: Resources) -> list[BaseRoute]:
    if not settings.dialects.checkly:
        return []
    return api.routes(found, checkly.door(settings, principals))
