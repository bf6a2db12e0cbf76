"""How policies and budgets may be called: safe in a log line, a header and a metric's label."""

import re

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
