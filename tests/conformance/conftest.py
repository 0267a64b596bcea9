"""The hand-made warehouse, under the name `world`: this directory is no package."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

_HERE = Path(__file__).parent


def _load():
    spec = importlib.util.spec_from_file_location("p4dp_tests_world", _HERE / "world.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def world():
    return _load()
