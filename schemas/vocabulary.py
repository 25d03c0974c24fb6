"""The words that events are made of: strict scalar types, each accepting exactly what the catalogue says.

Strict throughout: "1", true and 1.0 are no integers, and a date or an instant is only its one spelling.
"""

import re
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints

UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
VAULT_REF = r"^vault:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
CASE_ID = r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"  # a random UUID, version 4
INSTANT = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$"
DATE = r"^\d{4}-\d\d-\d\d$"
KLE = r"^\d\d\.\d\d\.\d\d(-[A-Z]\d\d(-\d{1,2}){0,2})?$"
