"""The lines that the dialect's README tells people to put into their programs, as files: what is documented is tested."""

import re
from pathlib import Path

README = Path(__file__).parents[2] / "src/tocsin/dialects/cronitor/README.md"


def write(name: str, folder: Path) -> Path:
    """The block of code whose first line names the file."""
    for block in re.findall(r"```\w+\n(.*?)```", README.read_text(), re.DOTALL):
        if block.partition("\n")[0].split()[1:2] == [f"{name}:"]:
            path = folder / name
            path.write_text(block)
            return path
    raise AssertionError(f"the README has no block of code for {name}")
