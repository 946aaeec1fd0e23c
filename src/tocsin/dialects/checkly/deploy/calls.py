"""`/v1/projects`, their deployments, and the older forms of these calls below `/next`."""

import asyncio
import secrets
from typing import Any, Final

from starlette.responses import Response

from tocsin.dialects.checkly import bodies, queries
from tocsin.dialects.checkly.call import Call, Calls
from tocsin.dialects.checkly.deploy import declared
from tocsin.dialects.checkly.deploy.deployer import Deployer, Prepared
from tocsin.dialects.checkly.deploy.events import stream
from tocsin.dialects.checkly.deploy.json_out import deployment_json, project_json, result_json
from tocsin.dialects.checkly.paging import page_reply, paging_of
from tocsin.dialects.checkly.problems import Refused
from tocsin.dialects.checkly.replies import of_error, refused, reply
from tocsin.domain.deployment import Deployment, Program
from tocsin.service.browsing import uid_of
from tocsin.service.deployments import Deployments, Ongoing, Outcome, Running

WAIT_S: Final = 30
BUNDLE_MAX: Final = 64 * 1024 * 1024  # bytes of an archive that is thrown away
_PAGE: Final = 1_000


class DeployCalls:
    def __init__(self, deployments: Deployments, deployer: Deployer) -> None:
        self._deployments, self._deployer = deployments, deployer

    # --- deploying

    async def deploy(self, call: Call) -> Response:
        """202, and goes on beside; a dry run is answered at once."""
        prepared = await self._prepare(call)
        if queries.flag(call.query, "dryRun"):
            return reply(200, result_json(prepared.program, prepared.steps))
        return reply(202, deployment_json((await self._begin(call, prepared)).deployment))

    async def deploy_at_once(self, call: Call) -> Response:
        """Up to CLI 8.9: answered when it is done."""
        prepared = await self._prepare(call)
        if queries.flag(call.query, "dryRun"):
            return reply(200, result_json(prepared.program, prepared.steps))
        return await self._end(await self._begin(call, prepared))

    async def destroy(self, call: Call) -> Response:
        """202; 200 without a `status` says that there was nothing to do."""
        prepared = await self._prepare_removal(call)
        if prepared is None:
            return reply(200, {"project": None, "diff": []})
        if queries.flag(call.query, "dryRun"):
            return reply(200, result_json(prepared.program, prepared.steps))
        return reply(202, deployment_json((await self._begin(call, prepared)).deployment))

    async def destroy_at_once(self, call: Call) -> Response:
        """Up to CLI 8.9."""
        prepared = await self._prepare_removal(call)
        if prepared is None:
            raise _no_project(call.part("id"))
        return await self._end(await self._begin(call, prepared))

    async def bundle(self, call: Call) -> Response:
        """Code that is never run here: its key is all that anybody wants of it."""
        size = 0
        async for chunk in call.request.stream():
            size += len(chunk)
            if size > BUNDLE_MAX:
                raise Refused(413, f"the archive is over {BUNDLE_MAX} bytes; nothing of it is run here")
        return reply(200, {"key": f"unused-{secrets.token_hex(8)}"})

    # --- how it goes

    async def deployment(self, call: Call) -> Response:
        return reply(200, deployment_json(await self._find(call)))

    async def events(self, call: Call) -> Response:
        found = await self._find(call)
        return stream(found, self._deployments.ongoing(found))

    async def completion(self, call: Call) -> Response:
        """Waits for the end; 408 when it does not come."""
        found = await self._find(call)
        wait = queries.whole(call.query, "maxWaitSeconds", default=WAIT_S, least=0, most=WAIT_S)
        ongoing = self._deployments.ongoing(found)
        if ongoing is not None:
            if not await ongoing.done(wait):
                return refused(408, "the deployment is still going on; ask again")
            found = ongoing.deployment
        return reply(200, deployment_json(found))

    async def cancel(self, call: Call) -> Response:
        """Asks for its end; once it writes, it goes on to its end."""
        found = await self._find(call)
        ongoing = self._deployments.ongoing(found)
        if ongoing is not None:
            ongoing.cancel()
            found = ongoing.deployment
        return reply(202 if ongoing else 200, deployment_json(found))

    # --- projects

    async def listed(self, call: Call) -> Response:
        paging = paging_of(call.query)
        rows, total = await self._deployments.programs(call.principal, skip=paging.offset, size=paging.limit)
        return page_reply([project_json(one) for one in rows], paging, total)

    async def one(self, call: Call) -> Response:
        found = await self._program(call)
        if found is None:
            raise _no_project(call.part("id"))
        return reply(200, project_json(found))

    async def _prepare(self, call: Call) -> Prepared:
        preserve = queries.flag(call.query, "preserveResources")
        queries.flag(call.query, "scheduleOnDeploy", default=True)  # a heartbeat has nothing to be scheduled
        body = await call.json(bodies.DEPLOYMENT_MAX)
        project = await asyncio.to_thread(declared.read, body)  # it may be long, and others get turns
        return await self._deployer.prepare(call.principal, project, call.received, preserve=preserve)

    async def _prepare_removal(self, call: Call) -> Prepared | None:
        preserve = queries.flag(call.query, "preserveResources")
        program = await self._program(call)
        if program is None:
            return None
        return await self._deployer.prepare_removal(call.principal, program, preserve=preserve)

    async def _begin(self, call: Call, prepared: Prepared) -> Ongoing:
        """Refused 409 while another deployment of the project is on its way."""

        async def work(ongoing: Ongoing) -> Outcome:
            return await self._deployer.apply(call.principal, prepared, ongoing, call.received)

        try:
            return await self._deployments.begin(call.principal, prepared.program.namespace, work)
        except Running as running:
            raise Refused(
                409,
                f"another deployment of {prepared.program.namespace[:100]!r} is in progress; wait for its end",
                deploymentId=running.deployment,
            ) from None

    async def _end(self, ongoing: Ongoing) -> Response:
        await ongoing.done()
        found = ongoing.deployment
        if found.program is not None:
            return reply(200, result_json(found.program, found.steps))
        if ongoing.problem is not None:
            return of_error(ongoing.problem)
        return refused(409 if not found.error_code else 500, found.error or "the deployment was cancelled")

    async def _find(self, call: Call) -> Deployment:
        found = await self._deployments.find(call.principal, call.part("id"), call.part("deployment"))
        if found is None:
            raise Refused(404, f"Not Found: no deployment {call.part('deployment')[:64]!r} of this project")
        return found

    async def _program(self, call: Call) -> Program | None:
        """By the name that the project has for itself, or by its id."""
        wanted = call.part("id")
        found = await self._deployments.program(call.principal, wanted)
        if found is not None or uid_of(wanted) is None:
            return found
        skip = 0
        while True:
            rows, total = await self._deployments.programs(call.principal, skip=skip, size=_PAGE)
            for row in rows:
                if uid_of(row.id) == uid_of(wanted):
                    return row
            skip += _PAGE
            if skip >= total:
                return None


def _no_project(wanted: str) -> Refused:
    return Refused(404, f"Not Found: no project {wanted[:64]!r}")


def calls(deployments: Deployments, deployer: Deployer) -> Calls:
    made = DeployCalls(deployments, deployer)
    one = "/v1/projects/{id:checkly_id}/deployments/{deployment}"
    found: dict[str, Any] = {
        "/v1/projects/deploy": {"POST": made.deploy},
        "/next-v2/projects/deploy": {"POST": made.deploy_at_once},
        "/next/checkly-storage/upload-code-bundle": {"POST": made.bundle},
        "/v1/projects": {"GET": made.listed},
        "/next/projects": {"GET": made.listed},
        "/v1/projects/{id:checkly_id}": {"GET": made.one, "DELETE": made.destroy},
        "/next/projects/{id}": {"GET": made.one, "DELETE": made.destroy_at_once},
        one: {"GET": made.deployment},
        f"{one}/events": {"GET": made.events},
        f"{one}/completion": {"GET": made.completion},
        f"{one}/cancel": {"POST": made.cancel},
    }
    return found
