"""Prints the lowest versions that pyproject.toml allows, as constraints for pip."""

import re
import tomllib
from pathlib import Path

settings = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8"))
project = settings["project"]
for wanted in (*project["dependencies"], *project["optional-dependencies"]["pg"]):
    name, version = re.fullmatch(r"([\w-]+)(?:\[\w+\])?>=([\d.]+).*", wanted).groups()
    print(f"{name}=={version}")
