"""The two build steps pyproject.toml cannot express: the Cython core and the protobuf modules."""

import os
import shutil
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_py import build_py as _build_py

EXT, SRC, PROTO = Path("ext"), Path("src"), Path("proto")
DEBUG = os.environ.get("TOCSIN_DEBUG") == "1"  # bounds checks, assertions, annotated HTML
SANITIZE = os.environ.get("TOCSIN_SANITIZE") == "1"  # address and undefined-behaviour sanitizers


def generate_protos(proto: Path, out: Path) -> None:
    """Writes *_pb2.py, *_pb2.pyi, *_pb2_grpc.py and *_pb2_grpc.pyi under `out`, and tocsin/v1/descriptors.binpb.

    The proto package and the Python package are the same path, so the generated imports are right as they are. The
    descriptor set holds what the modules do not: the comments, which the OpenAPI document shows.
    """
    from grpc_tools import protoc

    sources = sorted(str(path) for path in proto.rglob("*.proto"))
    search = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    plugin = shutil.which("protoc-gen-mypy_grpc", path=search)
    well_known = files("grpc_tools") / "_proto"
    common = next(Path(entry) for entry in sys.path if (Path(entry) / "google/api/annotations.proto").exists())
    arguments = ["protoc", f"-I{proto}", f"-I{well_known}", f"-I{common}"]
    arguments += [f"--python_out={out}", f"--pyi_out={out}", f"--grpc_python_out={out}"]
    if plugin:
        arguments += [f"--plugin=protoc-gen-mypy_grpc={plugin}", f"--mypy_grpc_out={out}"]
    arguments += ["--include_source_info", f"--descriptor_set_out={out / 'tocsin/v1/descriptors.binpb'}"]
    if protoc.main([*arguments, *sources]):
        raise SystemExit("protoc failed")


class build_py(_build_py):  # noqa: N801 - setuptools names its commands so
    """Generates the protobuf modules before Python files are collected."""

    def run(self) -> None:
        generate_protos(PROTO, SRC)
        super().run()


def compile_args() -> list[str]:
    arguments = ["-O1", "-g", "-UNDEBUG", "-DTOCSIN_DEBUG=1"] if DEBUG or SANITIZE else ["-O3"]
    if SANITIZE:
        arguments += ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"]
    return arguments


def link_args() -> list[str]:
    return ["-fsanitize=address,undefined"] if SANITIZE else []


def extensions() -> Iterator[Extension]:
    for pyx in sorted(EXT.rglob("*.pyx")):
        name = ".".join(pyx.relative_to(EXT).with_suffix("").parts)
        yield Extension(name, [str(pyx)], extra_compile_args=compile_args(), extra_link_args=link_args())


setup(
    ext_modules=cythonize(
        list(extensions()),
        include_path=[str(EXT)],
        build_dir="build/cython-debug" if DEBUG else "build/cython",  # C is made anew only if a source is newer
        annotate=DEBUG,
        compiler_directives={
            "language_level": 3,
            "boundscheck": DEBUG,
            "wraparound": False,
            "cdivision": True,
        },
    ),
    cmdclass={"build_py": build_py},
    options={"build_ext": {"parallel": os.cpu_count()}},  # some thirty modules
)
