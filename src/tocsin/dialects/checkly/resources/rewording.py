"""What a rule of the domain says of a field, said of the member that a client wrote."""

from collections.abc import Mapping

from tocsin.domain import errors


def reworded(problem: errors.InvalidArgument, members: Mapping[str, str]) -> errors.InvalidArgument:
    """`members`: how the domain's paths begin → how the client's do. A path that begins with none is kept."""
    if not problem.violations:
        return problem
    path, text = problem.violations[0]
    for beginning, member in members.items():
        if path.startswith(beginning):
            path = member + path[len(beginning) :]
            break
    return errors.invalid(path, text, reason=problem.reason)
