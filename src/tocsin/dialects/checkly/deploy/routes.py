"""The routes of projects and their deployments."""

from starlette.routing import BaseRoute

from tocsin.dialects.checkly.call import Door
from tocsin.dialects.checkly.deploy import calls
from tocsin.dialects.checkly.deploy.deployer import Deployer
from tocsin.dialects.checkly.routes import made
from tocsin.service.deployments import Deployments


def routes(deployments: Deployments, deployer: Deployer, door: Door) -> list[BaseRoute]:
    """Every request must carry `request.state.received`, when it was accepted (ms)."""
    return made(calls.calls(deployments, deployer), door)
