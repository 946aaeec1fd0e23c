"""Which expressions to ask beside a transition: fixed and wildcard times of day around it, and every kind of day."""

import datetime as dt
import random
from collections.abc import Iterator

# Half an hour, a gap at midnight, days that were skipped, negative summer time, Ramadan, two hours, 20 seconds, 00:01.
KNOWN_TO_HURT = (
    *("Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Beirut", "Africa/Cairo", "Pacific/Apia", "Pacific/Kwajalein"),
    *("Europe/Dublin", "Africa/Casablanca", "Africa/El_Aaiun", "Asia/Gaza", "Antarctica/Troll", "Africa/Monrovia"),
    *("America/St_Johns", "America/Havana"),
)


class Place:
    """A transition and the wall clock beside it."""

    def __init__(self, zone, second: int):
        self.second = second
        self.before = dt.datetime.fromtimestamp(second - 1, zone).replace(tzinfo=None)
        self.after = dt.datetime.fromtimestamp(second, zone).replace(tzinfo=None)
        self.first = self.before + dt.timedelta(seconds=1)  # what the clock would have shown without the transition
        self.hour = self.first.hour
        self.dates = sorted({self.before.date(), self.after.date()})
        self.days = ",".join(str(day) for day in sorted({date.day for date in self.dates}))
        self.months = ",".join(str(month) for month in sorted({date.month for date in self.dates}))

    def around(self, low: int, high: int) -> str:
        """Hours from `low` to `high` after the transition's, as a list."""
        return ",".join(str(hour) for hour in sorted({(self.hour + i) % 24 for i in range(low, high + 1)}))


def times(place: Place) -> list[str]:
    """Minute and hour fields."""
    hour, before, after = place.hour, (place.hour - 1) % 24, (place.hour + 1) % 24
    return [
        *("* *", "*/5 *", "*/30 *", "*/7 *", "17 *", "0 *", "59 *", "0,45 *", "1-59/2 *", "30 0-23"),
        *("0 0", "30 0", "59 23", "0 0,12", "0 */2", "30 */3", "15 1-23/2", "*/40 0-3,23"),
        *(f"0 {hour}", f"30 {hour}", f"59 {before}", f"45 {before}", f"15 {after}", f"{place.first.minute} {hour}"),
        *(f"* {hour}", f"*/15 {hour}", f"*/20 {place.around(-1, 1)}", f"10/20 {before}", f"*/7 {after}"),
        *(f"0,30 {place.around(-2, 2)}", f"5 {place.around(-1, 0)}", f"0 {hour},{(hour + 12) % 24}", f"0-29 {hour}"),
    ]


def days(place: Place) -> list[str]:
    """Day of month, month and day of week fields; most match one of the days beside the transition."""
    date = place.after.date()
    weekday, nth = date.isoweekday() % 7, (date.day - 1) // 7 + 1
    return [
        *(f"{place.days} {place.months} *", f"{place.days} * *", f"* {place.months} *", f"{date.day} * {weekday}"),
        *(f"* * {weekday}", f"* * {weekday}#{nth}", f"* * {weekday}L", f"{date.day}W * *", f"1,{date.day} * */3"),
        *("L * *", "LW * *", "1W,L * *", "*/2 * *", "* */2 *", "*/3 * 1-5", "* * */2", "13 * FRI", "1,15 * MON#2"),
        *("29-31 * *", "1-7 * */7", "* 3,10,11 0", "31W,LW * 0L", "29 2 *", "*/9,L */3 *"),
    ]


def beside(place: Place) -> list[str]:
    """Expressions that match on the days of this transition only: inside the gap or fold, and around it."""
    hour, before = place.hour, (place.hour - 1) % 24
    fields = [
        *(f"0 {hour}", f"30 {hour}", f"45 {before}", f"{place.first.minute} {hour}", f"0,30 {place.around(-2, 2)}"),
        *(f"*/15 {place.around(-2, 2)}", f"59 {hour},{before}", "20 *", "0 0", "*/30 23"),
    ]
    return [f"{field} {place.days} {place.months} *" for field in fields]


def in_seconds(place: Place) -> list[str]:
    """Six fields, for windows that are read every second."""
    hour, before, after = place.hour, (place.hour - 1) % 24, (place.hour + 1) % 24
    minute, second = place.first.minute, place.first.second
    return [
        *("0 * * * * *", "*/20 */15 * * * *", "59 59 * * * *", "30 */30 * * * *", "*/7 30 * * * *", "0 0 0 * * *"),
        *(f"{second} {minute} {hour} * * *", f"5,10 0,30 {place.around(-1, 1)} * * *", f"*/30 * {hour} * * *"),
        *(f"59 59 {before} * * *", f"* 0 {hour} * * *", f"1-59/2 59 {before} * * *", f"0 0 {after} * * *"),
        f"{(second - 1) % 60} {(minute - (second == 0)) % 60} {place.before.hour} * * *",
    ]


def broad(place: Place, rng: random.Random) -> Iterator[str]:
    """Half of the times of day on every day, and each kind of day at one time; another choice at each place."""
    every = times(place)
    for time in rng.sample(every, len(every) // 2 + 2):
        yield f"{time} * * *"
    for day in days(place):
        yield f"{rng.choice(every)} {day}"
