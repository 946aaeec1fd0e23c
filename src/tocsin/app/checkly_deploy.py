"""Deployments of Checkly's CLI among the server's parts."""

from starlette.routing import BaseRoute

from tocsin.app import checkly
from tocsin.app.settings import Settings
from tocsin.dialects.checkly.deploy import routes as api
from tocsin.dialects.checkly.deploy.composition import kinds
from tocsin.dialects.checkly.deploy.deployer import Deployer
from tocsin.dialects.checkly.resources.services import Resources
from tocsin.dialects.checkly.services import Services
from tocsin.domain.instant import Clock
from tocsin.service.deployments import Deployments
from tocsin.service.principal import Principals
from tocsin.store.database import Database
from tocsin.store.deploying import SqlDeployments


def routes(
    settings: Settings, principals: Principals, database: Database, clock: Clock, services: Services, found: Resources
) -> list[BaseRoute]:
    if not settings.dialects.checkly:
        return []
    deployments = Deployments(SqlDeployments(database), clock)
    deployer = Deployer(deployments, kinds(services, found.channels, found.groups, found.windows))
    return api.routes(deployments, deployer, checkly.door(settings, principals))
