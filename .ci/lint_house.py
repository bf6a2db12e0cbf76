"""House rules that no linter knows, each with the breach that it prevents.

Run from the checkout: `python .ci/lint_house.py [FILE...]`. Without files it reads everything that
git tracks. Prints `path:line: rule: message` and exits 1 when something is found.

Rules over code are functions from a parsed module to problems; rules over text look at every
tracked file. `tests/architecture/test_lint_house.py` shows a good and a bad sample of each.
"""

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent
ROOMS = frozenset({"api", "detectors", "guard", "policies"})

# The one door, and the reads of the broker for itself, of which nobody is shown anything.
FETCHERS = ("guard/broker/", "guard/sources/", "guard/system_reads.py")

# The only modules that speak SQL. The demo's CRM plays a company's own system, which the broker
# may know through a mapping only, so it is made without the store.
SQL_HOMES = ("guard/store/", "guard/sources/sql.py", "api/cli/demo/crm.py")
SQL_TEXT = re.compile(
    r"\s*(SELECT\b.+\bFROM|INSERT\s+INTO|UPDATE\b.+\bSET|DELETE\s+FROM|CREATE\s+(TABLE|INDEX)|PRAGMA)\b",
    re.DOTALL,
)
SQL_CALLS = frozenset({"execute", "executemany", "executescript", "exec_driver_sql", "scalars"})
SQL_DRIVERS = frozenset({"sqlalchemy", "sqlite3", "psycopg", "asyncpg"})
LOG_NAMES = frozenset({"log", "logger", "_log", "_logger"})
LOG_CALLS = frozenset({"debug", "info", "warning", "error", "exception", "critical"})
EVENT_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
REASON = r"\s*[-:#;,(]?\s*[A-Za-z`'\"][^\n]{3,}"
NOQA = re.compile(r"#\s*noqa\b", re.IGNORECASE)
GOOD_NOQA = re.compile(r"#\s*noqa:\s*[A-Z]+[0-9]+(\s*,\s*[A-Z]+[0-9]+)*" + REASON)
IGNORE = re.compile(r"#\s*type:\s*ignore\b")
GOOD_IGNORE = re.compile(r"#\s*type:\s*ignore\[[a-z0-9, -]+\]" + REASON)
NO_COVER = re.compile(r"#\s*pragma:\s*no (cover|branch)\b")
GOOD_NO_COVER = re.compile(r"#\s*pragma:\s*no (cover|branch)" + REASON)

# Written so that this file does not contain what it looks for.
PLACES = re.compile(r"(?<![\w.])/(hom[e]/[a-z]|roo[t]/|User[s]/[A-Za-z]|wor[k]/)|[A-Z]:\\User[s]")
HOSTS = re.compile(
    r"py[p]i\.(or[g]|pytho[n])|python[h]osted|npm[j]s\.(or[g]|co[m])|deb\.debia[n]|crate[s]\.io|"
    r"proxy\.golan[g]"
)
PRIVATE_KEY = re.compile(r"-----BEGI[N] [A-Z ]*PRIVATE KEY-----")
BINARY = frozenset({".png", ".ico", ".gz", ".parquet", ".woff2", ".pdf", ".db"})


@dataclass(frozen=True, slots=True)
class Problem:
    """One breach of a house rule."""

    path: str
    line: int
    rule: str
    message: str

    def __str__(self) -> str:
        """Render as an editor can follow it."""
        return f"{self.path}:{self.line}: {self.rule}: {self.message}"


@dataclass(frozen=True, slots=True)
class Module:
    """One Python file, parsed."""

    path: PurePosixPath
    tree: ast.Module
    comments: dict[int, str]

    @property
    def room(self) -> str:
        """The top folder."""
        return self.path.parts[0]

    def lies_in(self, *places: str) -> bool:
        """Whether the file is one of `places`, or below one that ends in a slash."""
        text = self.path.as_posix()
        return any(text.startswith(p) if p.endswith("/") else text == p for p in places)

    def problem(self, node: ast.AST, rule: str, message: str) -> Problem:
        """Name a breach at `node`."""
        return Problem(self.path.as_posix(), getattr(node, "lineno", 1), rule, message)


def _docstrings(tree: ast.Module) -> set[int]:
    owners = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, owners) and node.body and isinstance(node.body[0], ast.Expr)
    }


def _called(node: ast.AST) -> tuple[ast.expr, str] | None:
    """Split `x.name(...)` into (x, name)."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.value, node.func.attr
    return None


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []


def _is_sql(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and SQL_TEXT.match(node.value) is not None
    )


def query_outside_the_store(module: Module) -> Iterator[Problem]:
    """A query elsewhere is a second way to the records, past the locks and the entry."""
    rule = "query-outside-the-store"
    if module.room not in ROOMS or module.lies_in(*SQL_HOMES):
        return
    docs = _docstrings(module.tree)
    for node in ast.walk(module.tree):
        for name in _imported(node):
            if name.split(".")[0] in SQL_DRIVERS:
                yield module.problem(node, rule, f"`{name}` belongs to guard/store")
        call = _called(node)
        if call is not None and call[1] in SQL_CALLS:
            yield module.problem(node, rule, f"`.{call[1]}()` runs a query: use a port")
        if _is_sql(node) and id(node) not in docs:
            yield module.problem(node, rule, "SQL text belongs to guard/store")


def raw_record_in_api(module: Module) -> Iterator[Problem]:
    """Only a masked record may leave: a route that can return a raw one will, one day."""
    if module.room != "api":
        return
    for node in ast.walk(module.tree):
        shown: ast.expr | None = None
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            shown = node.returns
        elif isinstance(node, ast.AnnAssign):
            shown = node.annotation
        elif isinstance(node, ast.keyword) and node.arg in {"response_model", "responses"}:
            shown = node.value
        if shown is not None and "RawRecord" in ast.unparse(shown):
            yield module.problem(shown, "raw-record-in-api", "answer with a MaskedRecord")


def _builds_text(node: ast.expr) -> bool:
    if isinstance(node, ast.JoinedStr):
        return True
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return isinstance(node.left, ast.Constant) and isinstance(node.left.value, str)
    if isinstance(node, ast.Call):
        named = isinstance(node.func, ast.Name) and node.func.id in {"str", "repr", "format"}
        call = _called(node)
        return named or (call is not None and call[1] == "format")
    return False


def _log_calls(tree: ast.Module) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        call = _called(node)
        if call is None or call[1] not in LOG_CALLS or _last_name(call[0]) not in LOG_NAMES:
            continue
        if isinstance(node, ast.Call):
            yield node


def _names_an_event(node: ast.expr) -> bool:
    named = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return named and EVENT_NAME.fullmatch(ast.literal_eval(node)) is not None


def free_text_in_logs(module: Module) -> Iterator[Problem]:
    """A value that becomes text in a log call is how customers' data ends up in log files."""
    rule = "free-text-in-logs"
    if module.room not in ROOMS:
        return
    for node in _log_calls(module.tree):
        if not node.args or not _names_an_event(node.args[0]):
            yield module.problem(node, rule, "first comes a constant event name, `view.permitted`")
        if len(node.args) > 1:
            yield module.problem(node, rule, "values are keys, not positions")
        for keyword in node.keywords:
            if keyword.arg is None or _builds_text(keyword.value):
                yield module.problem(node, rule, "pass plain counts, ids and enums by name")


def _is_broad(kind: ast.expr | None) -> bool:
    if kind is None:
        return True
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return any(_last_name(k) in {"Exception", "BaseException"} for k in kinds)


def swallowed_exception(module: Module) -> Iterator[Problem]:
    """What must not be ignored raises; a broad handler that goes on fails open."""
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.ExceptHandler) or not _is_broad(node.type):
            continue
        raises = any(isinstance(inner, ast.Raise) for stmt in node.body for inner in ast.walk(stmt))
        if raises or GOOD_NOQA.search(module.comments.get(node.lineno, "")):
            continue
        yield module.problem(
            node, "swallowed-exception", "re-raise, or say why not: `# noqa: BLE001 - reason`"
        )


def unreasoned_exemption(module: Module) -> Iterator[Problem]:
    """A lint that is off has its reason on the same line, or nobody dares to switch it on again."""
    pairs = ((NOQA, GOOD_NOQA), (IGNORE, GOOD_IGNORE), (NO_COVER, GOOD_NO_COVER))
    for line, comment in module.comments.items():
        for marker, good in pairs:
            if marker.search(comment) and not good.search(comment):
                yield Problem(
                    module.path.as_posix(),
                    line,
                    "unreasoned-exemption",
                    "give the code and the reason: `# noqa: S603 - fixed words`",
                )


def second_door(module: Module) -> Iterator[Problem]:
    """Records are fetched by the broker alone, so that no path can forget the entry."""
    if module.room not in ROOMS or module.lies_in(*FETCHERS):
        return
    for node in ast.walk(module.tree):
        call = _called(node)
        if call is not None and call[1] == "fetch":
            yield module.problem(node, "second-door", "only guard/broker/ calls `.fetch()`")


def second_commit(module: Module) -> Iterator[Problem]:
    """One writer: whatever commits beside admission can put a change without its entry."""
    homes = ("guard/admission/", "guard/store/", "guard/sources/sql.py")
    if module.room not in ROOMS or module.lies_in(*homes):
        return
    for node in ast.walk(module.tree):
        call = _called(node)
        if call is not None and call[1] == "begin":
            yield module.problem(node, "second-commit", "go through `Committer.run`")


CODE_RULES: tuple[Callable[[Module], Iterator[Problem]], ...] = (
    query_outside_the_store,
    raw_record_in_api,
    free_text_in_logs,
    swallowed_exception,
    unreasoned_exemption,
    second_door,
    second_commit,
)


def places_and_keys(path: str, text: str) -> Iterator[Problem]:
    """What is committed names no machine, no registry and no private key."""
    patterns = (
        (PLACES, "machine-path", "a path of one machine"),
        (HOSTS, "registry-host", "a package registry's host"),
        (PRIVATE_KEY, "private-key", "a private key: make it when it is needed"),
    )
    for number, line in enumerate(text.splitlines(), start=1):
        for pattern, rule, message in patterns:
            if pattern.search(line):
                yield Problem(path, number, rule, message)


def parse(path: PurePosixPath, text: str) -> Module:
    """Parse one Python file with its comments."""
    comments: dict[int, str] = {}
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            comments[token.start[0]] = token.string
    return Module(path, ast.parse(text, str(path)), comments)


def check(path: PurePosixPath, text: str) -> list[Problem]:
    """Every breach in one file."""
    found = list(places_and_keys(path.as_posix(), text))
    if path.suffix == ".py":
        module = parse(path, text)
        for rule in CODE_RULES:
            found.extend(rule(module))
    return sorted(found, key=lambda p: (p.line, p.rule))


def tracked() -> list[PurePosixPath]:
    """What git tracks or would track, without what it ignores."""
    command = [
        "git",
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]  # looked up on PATH
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S603 - fixed words
    return [PurePosixPath(name) for name in listing.split("\0") if name]


def main(arguments: list[str]) -> int:
    """Check the named files, or all."""
    paths = [PurePosixPath(a) for a in arguments] or tracked()
    count = 0
    for path in paths:
        file = ROOT / path
        if path.suffix in BINARY or not file.is_file():
            continue
        for problem in check(path, file.read_text(encoding="utf-8", errors="replace")):
            print(problem)
            count += 1
    if count:
        print(f"{count} breaches of house rules", file=sys.stderr)
    return 1 if count else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
