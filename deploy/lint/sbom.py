"""Holds an SBOM to the schema of CycloneDX, by its own library: python sbom.py FILE."""

import json
import pathlib
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

text = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")
version = SchemaVersion.from_version(json.loads(text)["specVersion"])
error = JsonStrictValidator(version).validate_str(text)
if error:
    sys.exit(f"{sys.argv[1]}: {error}")
print(f"{len(json.loads(text)['components'])} components, valid as CycloneDX {version.to_version()}")
