"""Where time zone files come from: the system's first, then the `tzdata` package."""

import functools
import importlib.metadata
import importlib.resources
import zoneinfo
from pathlib import Path


def read_zone(name: str) -> bytes | None:
    """The TZif bytes of a zone, or None. `Zones` has checked that the name is no path out of the folder."""
    for folder in zoneinfo.TZPATH:
        path = Path(folder, name)
        if path.is_file():
            data = path.read_bytes()
            return data if data.startswith(b"TZif") else None
    try:
        file = importlib.resources.files("tzdata").joinpath("zoneinfo", *name.split("/"))
        return file.read_bytes() if file.is_file() else None
    except ModuleNotFoundError:
        return None


@functools.cache
def zone_names() -> frozenset[str]:
    """Every name that can be read."""
    return frozenset(zoneinfo.available_timezones())


@functools.cache
def tzdata_version() -> str:
    """The release of the zone data in use, such as "2026b"; "unknown" if the system does not say."""
    for folder in zoneinfo.TZPATH:
        for name, prefix in (("+VERSION", ""), ("version", ""), ("tzdata.zi", "# version ")):
            path = Path(folder, name)
            if path.is_file():
                with path.open(encoding="utf-8", errors="replace") as file:
                    line = file.readline().strip()
                return line.removeprefix(prefix) if line.startswith(prefix) else "unknown"
        if Path(folder, "UTC").is_file():
            return "unknown"
    try:  # of what is installed now: the module may have been imported before an upgrade
        release = importlib.metadata.version("tzdata")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
    year, _, rest = release.partition(".")
    number = rest.partition(".")[0]  # 2026.2 is 2026b
    return f"{year}{chr(ord('a') + int(number) - 1)}" if number.isdigit() and 1 <= int(number) <= 26 else release


def forget() -> None:
    """What was read and kept may have changed: it is read again."""
    zone_names.cache_clear()
    tzdata_version.cache_clear()
    zoneinfo.ZoneInfo.clear_cache()
