"""Text of an inventory to plain Python values: bounded, without duplicate keys, every scalar as it was written.

YAML's own conveniences are what makes it unsafe here: an unquoted account id loses its leading zeros, a key
given twice silently replaces the first, and nine lines of aliases expand to gigabytes. So the nodes are walked by
us, and whatever cannot mean one thing only is a problem. What the values mean is inventory_schema.py's concern.
"""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

MAX_BYTES = 32 * 1024 * 1024
MAX_NODES = 2_000_000  # 1,000 accounts with 6 databases each are about 100,000
MAX_DEPTH = 40

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times faster where libyaml is there
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_TAG = "tag:yaml.org,2002:"
_READ_AS = {"int": "another number", "float": "a fraction", "timestamp": "a date"}

Path = tuple[str | int, ...]
Problem = tuple[Path, str]


class UnreadableError(Exception):
    """The text is no YAML or JSON, or is refused as a whole; the message says why."""


def place(path: Path) -> str:
    """A path as a person reads it: `accounts."123".regions.us-east-1.databases[2]`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            name = part if _PLAIN_NAME.fullmatch(part) else json.dumps(part, ensure_ascii=True)
            text += f".{name}" if text else name
    return text or "(the whole document)"


def read_document(text: bytes) -> tuple[Any, list[Problem]]:
    """The plain value of a YAML or JSON text, and the problems found on the way, each with its place.

    Raises:
        UnreadableError: not UTF-8, empty, a web page, no YAML, or larger than it may be.
    """
    if len(text) > MAX_BYTES:
        raise UnreadableError(f"it is {len(text):,} bytes, more than the {MAX_BYTES:,} that an inventory may have")
    try:
        decoded = text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableError(f"it is not UTF-8 text (byte {error.start} is 0x{text[error.start]:02x})") from error
    start = decoded.lstrip()[:200].lower()
    if not start:
        raise UnreadableError("it is empty")
    if start.startswith(("<!doctype", "<html", "<?xml")):
        raise UnreadableError("it is a web page or XML document, not YAML or JSON: is the address right?")
    if start.startswith("{"):
        try:
            return _read_json(decoded)
        except json.JSONDecodeError as error:
            json_problem = f"it is not valid JSON: {error.msg} (line {error.lineno}, column {error.colno})"
            try:
                return _read_yaml(decoded)  # a YAML flow mapping starts with a brace, too
            except UnreadableError:
                raise UnreadableError(json_problem) from error
    return _read_yaml(decoded)


def _read_json(text: str) -> tuple[Any, list[Problem]]:
    doubled: dict[int, tuple[dict[str, Any], list[str]]] = {}

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(items)
        if len(value) != len(items):
            seen: set[str] = set()
            twice = [key for key, _ in items if key in seen or seen.add(key)]  # type: ignore[func-returns-value]
            doubled[id(value)] = (value, twice)
        return value

    try:
        document = json.loads(text, object_pairs_hook=pairs)
    except RecursionError as error:
        raise UnreadableError(f"it is nested more than {MAX_DEPTH} levels deep") from error
    problems: list[Problem] = []
    _walk_json(document, (), doubled, problems)
    return document, problems


def _walk_json(value: Any, path: Path, doubled: dict[int, Any], problems: list[Problem]) -> None:
    if len(path) > MAX_DEPTH:
        raise UnreadableError(f"it is nested more than {MAX_DEPTH} levels deep")
    if isinstance(value, dict):
        if id(value) in doubled:
            problems.extend(((*path, key), "the key is there twice") for key in doubled[id(value)][1])
        for key, item in value.items():
            if isinstance(item, dict | list):
                _walk_json(item, (*path, key), doubled, problems)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, dict | list):
                _walk_json(item, (*path, index), doubled, problems)


def _read_yaml(text: str) -> tuple[Any, list[Problem]]:
    try:
        _bound_depth(text)
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise UnreadableError(f"it is not valid YAML: {error.problem or error.context}{where}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise UnreadableError(f"it is not valid YAML: {str(error).splitlines()[0]}") from error
    if node is None:
        raise UnreadableError("it is empty")
    walk = _NodeWalk()
    return walk.value(node, ()), walk.problems


def _bound_depth(text: str) -> None:
    """Refuse deep nesting before nodes are composed: that recurses in C, and 100,000 brackets end the process."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise UnreadableError(f"it is nested more than {MAX_DEPTH} levels deep")


class _NodeWalk:
    """Turns composed YAML nodes into values, counting every node as often as aliases repeat it."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._count = 0
        self._open: set[int] = set()

    def value(self, node: Any, path: Path) -> Any:
        self._count += 1
        if self._count > MAX_NODES:
            raise UnreadableError(f"its aliases expand to more than {MAX_NODES:,} values")
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        if len(path) > MAX_DEPTH:
            raise UnreadableError(f"it is nested more than {MAX_DEPTH} levels deep")
        if id(node) in self._open:
            raise UnreadableError(f"{place(path)} contains itself, through an alias")
        self._open.add(id(node))
        try:
            if node.tag not in (f"{_TAG}map", f"{_TAG}seq"):
                self._problem(path, f"the tag {_short_tag(node.tag)} is not allowed")
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, path)
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: Any, path: Path) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        own: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == f"{_TAG}merge":
                merged = self._merge(value_node, path) | merged
                continue
            if not isinstance(key_node, yaml.ScalarNode):
                self._problem(path, "a key is a list or a mapping")
                continue
            key = key_node.value
            if key_node.tag != f"{_TAG}str":
                self._problem((*path, key), _why_quote(key, path))
            if key in own:
                self._problem((*path, key), "the key is there twice")
            own[key] = self.value(value_node, (*path, key))
        return merged | own

    def _merge(self, node: Any, path: Path) -> dict[str, Any]:
        value = self.value(node, (*path, "<<"))
        merged: dict[str, Any] = {}
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, dict):
                merged = part | merged  # the first of several wins, as YAML says
            else:
                self._problem((*path, "<<"), "only mappings can be merged")
        return merged

    def _scalar(self, node: Any, path: Path) -> Any:
        tag = node.tag.removeprefix(_TAG)
        text: str = node.value
        if tag in ("str", "value"):
            return text
        if tag == "int" and _INTEGER.fullmatch(text):
            return int(text)
        if tag == "bool":
            return text.lower() in ("true", "yes", "on")
        if tag == "null":
            return None
        if tag in ("int", "float", "timestamp"):
            self._problem(path, f"YAML reads {text} as {_READ_AS[tag]}: write it in quotes, or as a plain number")
        else:
            self._problem(path, f"the tag {_short_tag(node.tag)} is not allowed")
        return text

    def _problem(self, path: Path, text: str) -> None:
        self.problems.append((path, text))


def _short_tag(tag: str) -> str:
    return tag.replace(_TAG, "!!")


def _why_quote(key: str, path: Path) -> str:
    if path and path[-1] == "accounts":
        quoted = json.dumps(key)
        return f"write the account id in quotes, {quoted}: YAML reads a number without them and drops leading zeros"
    return f"write the key in quotes ({json.dumps(key)}): YAML does not read it as text"
