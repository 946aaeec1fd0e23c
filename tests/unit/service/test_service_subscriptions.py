"""Who subscribes is told of to those who tell: what is open may concern it already."""

from tocsin.domain.notification import Subscription
from tocsin.domain.project import Project, Scope
from tocsin.service.principal import Principal
from tocsin.service.subscriptions import Subscriptions

ADMIN = Principal(Project(1, "p", "P", "account", 0), Scope.ADMIN)


class Store:
    """Takes everything."""

    def put(self, wanted):
        return wanted

    def put_many(self, _project, wanted):
        return list(wanted)

    def replace(self, project, whose, wanted):
        return {
            number: [
                Subscription(0, project, channel, active=active, **{whose.value: number}) for channel, active in some
            ]
            for number, some in wanted.items()
        }


async def test_those_that_somebody_hears_of_now_are_told_of():
    told = []
    service = Subscriptions(Store(), lambda monitors, groups: told.append((monitors, groups)))
    await service.put(ADMIN, 1, monitor=2, active=True)
    await service.put(ADMIN, 1, group=3, active=False)
    await service.put_many(ADMIN, [Subscription(0, 1, 1, monitor=4), Subscription(0, 1, 1, group=5)])
    await service.replace(ADMIN, [(1, True), (2, False)], group=6)
    await service.replace_of_monitors(ADMIN, {7: [(1, True)], 8: [(1, False)], 9: []})
    assert told == [({2}, set()), (set(), set()), ({4}, {5}), (set(), {6}), ({7}, set())]
