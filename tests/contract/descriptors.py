"""The contract as a descriptor set: compiled from the sources, with comments, as buf and the AIP checks read it."""

import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet

ROOT = Path(__file__).resolve().parents[2]
PROTO = ROOT / "proto"
BUF = shutil.which("buf", path=f"{Path(sys.executable).parent}")


def compile_set(proto: Path, out: Path) -> Path:
    """protoc over every .proto file under `proto`, imports and comments included."""
    sources = sorted(str(path.relative_to(proto)) for path in proto.rglob("*.proto"))
    common = next(Path(entry) for entry in sys.path if (Path(entry) / "google/api/annotations.proto").exists())
    well_known = files("grpc_tools") / "_proto"
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{proto}", f"-I{well_known}", f"-I{common}"]
    command += ["--include_imports", "--include_source_info", f"--descriptor_set_out={out}", *sources]
    # protoc has its own exit status and says what is wrong on stderr
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return out


def buf(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs buf, which never needs the network for a descriptor set on disk. Its work folder is not the repository's."""
    assert BUF is not None, "buf-bin is not installed beside this Python"
    config = ("--config", str(PROTO / "buf.yaml"))
    return subprocess.run([BUF, *arguments, *config], capture_output=True, text=True, check=False, timeout=120)


def load(path: Path) -> FileDescriptorSet:
    return FileDescriptorSet.FromString(path.read_bytes())
