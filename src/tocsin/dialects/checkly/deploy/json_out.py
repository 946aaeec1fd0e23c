"""Deployments and projects as Checkly shows them."""

from collections.abc import Sequence
from typing import Any

from tocsin.dialects.checkly.times import iso, iso_or_none
from tocsin.domain.deployment import Deployment, Program, State, Step


def project_json(program: Program) -> dict[str, Any]:
    """Both ways of spelling its times: answers to deployments have one, lists the other."""
    changed = iso(program.update_time) if program.update_time != program.create_time else None
    return {
        "id": program.id,
        "logicalId": program.namespace,
        "name": program.display_name,
        "repoUrl": program.source or None,
        "createdAt": iso(program.create_time),
        "updatedAt": changed,
        "created_at": iso(program.create_time),
        "updated_at": changed,
    }


def result_json(program: Program, steps: Sequence[Step]) -> dict[str, Any]:
    """What came of a deployment, or would."""
    diff = [
        {
            "logicalId": step.logical_id,
            "physicalId": step.public,
            "type": step.type,
            "action": step.action.value,
        }
        for step in steps
    ]
    return {"project": project_json(program), "diff": diff}


def deployment_json(deployment: Deployment) -> dict[str, Any]:
    """`result` is there once it has succeeded, and not before."""
    program = deployment.program if deployment.state is State.SUCCEEDED else None
    error = {"code": deployment.error_code, "message": deployment.error} if deployment.error_code else None
    return {
        "id": deployment.id,
        "logicalId": deployment.namespace,
        "status": deployment.state.value,
        "dryRun": False,
        "progress": deployment.progress,
        "error": error,
        "result": result_json(program, deployment.steps) if program else None,
        "createdAt": iso(deployment.create_time),
        "startedAt": iso_or_none(deployment.start_time),
        "endedAt": iso_or_none(deployment.end_time),
        "cancelRequestedAt": iso_or_none(deployment.cancel_time),
    }
