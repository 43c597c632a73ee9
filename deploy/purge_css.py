#!/usr/bin/env python3
"""Cut Tabler's stylesheets down to what Keelson's pages use: `make css` writes static/vendor/tabler/tabler.used*.css anew.

A rule stays when each class in its selector is a word of a template, or of a string in Python or JavaScript: too many rather
than too few. What pages are likely to use next stays, too (`COMMON`). Then go the custom properties and animations that
nothing reads any more.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "static" / "vendor" / "tabler"
FILES = {"tabler.min.css": "tabler.used.min.css", "tabler.rtl.min.css": "tabler.used.rtl.min.css"}
WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
# In templates a class stands in an attribute or in a tag's argument, never in plain text.
QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'|`[^`]*`")
CLASS = re.compile(r"\.(-?[A-Za-z_][A-Za-z0-9_-]*)")
COMMON = re.compile(
    r"(m|p)(t|b|s|e|x|y)?-(\d|auto)|gap-\d|d-(none|block|flex|grid|inline|inline-block|inline-flex)|text-(start|center|end|break|nowrap|decoration-none)"
    r"|fw-\w+|flex-(wrap|nowrap|column|row|fill|grow-1|shrink-0)|align-(items|self)-(start|center|end|baseline|stretch)"
    r"|justify-content-(start|center|end|between)|w-(25|50|75|100|auto)|position-(relative|absolute)|overflow-(auto|hidden)"
    r"|btn-((outline-)?(primary|danger|success|warning)|ghost-secondary)|show"
)
AT_RULES_KEPT = ("@font-face", "@charset", "@property", "@layer")


def words_used() -> set[str]:
    """Collect every word of our sources that may be a class."""
    words: set[str] = set()
    for path in sorted((ROOT / "templates").rglob("*.html")):
        for quoted in QUOTED.findall(path.read_text(encoding="utf-8")):
            words.update(WORD.findall(quoted))
    for path in sorted((ROOT / "static" / "js").glob("*.js")):
        for quoted in QUOTED.findall(path.read_text(encoding="utf-8")):
            words.update(WORD.findall(quoted))
    skipped = {
        ".venv",
        "tests",
        "bench",
        "sandbox",
        "var",
        "node_modules",
        "deploy",
        "migrations",
        "management",
        "demo",
    }
    for path in sorted(ROOT.rglob("*.py")):
        if skipped.isdisjoint(path.relative_to(ROOT).parts[:-1]):
            words.update(_words_of_python(path))
    return words


def _words_of_python(path: Path) -> Iterator[str]:
    """Yield the words of a file's strings that look like classes or markup; sentences and docstrings are none."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
            if "<" in text or (len(text) <= 80 and not re.search(r"[A-Z.]", text)):
                yield from WORD.findall(text)


def rules_of(css: str) -> Iterator[tuple[str, str]]:
    """Split a stylesheet into (prelude, body); a statement without a body has ""."""
    place = 0
    while place < len(css):
        brace, semicolon = css.find("{", place), css.find(";", place)
        if 0 <= semicolon < brace or brace < 0:
            if semicolon < 0:
                return
            yield css[place : semicolon + 1], ""
            place = semicolon + 1
            continue
        depth, end = 1, brace + 1
        while depth:
            depth += {"{": 1, "}": -1}.get(css[end], 0)
            end += 1
        yield css[place:brace], css[brace + 1 : end - 1]
        place = end


def _selectors(prelude: str) -> list[str]:
    """Split a list of selectors at the commas that are in no brackets."""
    parts, depth, start = [], 0, 0
    for place, character in enumerate(prelude):
        depth += (character in "([") - (character in ")]")
        if character == "," and not depth:
            parts.append(prelude[start:place])
            start = place + 1
    return [*parts, prelude[start:]]


def _is_used(selector: str, words: set[str]) -> bool:
    bare = re.sub(r":not\([^)]*\)", "", selector)
    return all(name in words or COMMON.fullmatch(name) for name in CLASS.findall(bare))


def purged(css: str, words: set[str]) -> str:
    """Return the stylesheet with the rules whose classes are used, without comments but the licence."""
    licence = re.search(r"/\*!.*?\*/", css, re.S)
    kept = _without_unread(_kept(re.sub(r"/\*.*?\*/", "", css, flags=re.S), words))
    kept = "\n".join(f"{prelude}{{{body}}}" if body else prelude for prelude, body in rules_of(kept))
    return f"{licence.group(0) if licence else ''}\n{kept}\n".replace('@charset "UTF-8";', "")


def _kept(css: str, words: set[str]) -> str:
    parts = []
    for prelude, body in rules_of(css):
        name = prelude.strip()
        if not body:
            parts.append(name if name.startswith("@") else "")
        elif name.startswith(("@media", "@supports", "@layer", "@container")):
            inner = _kept(body, words)
            parts.append(f"{name}{{{inner}}}" if inner else "")
        elif name.startswith("@") or "{" in body:  # nested rules are never cut apart
            parts.append(f"{name}{{{body}}}")
        else:
            selectors = [selector for selector in _selectors(name) if _is_used(selector, words)]
            parts.append(f"{','.join(selectors)}{{{body}}}" if selectors else "")
    return "".join(parts)


# A declaration's value: anything but its end, with strings and up to four levels of brackets.
PROPERTY = re.compile(
    r"(--[A-Za-z0-9_-]+)\s*:((?:[^;{}\"'()]|\"[^\"]*\"|'[^']*'"
    r"|\((?:[^()]|\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))*\))*)(;|(?=\}))"
)


def _without_properties(css: str, read: set[str]) -> str:
    return PROPERTY.sub(lambda match: match.group(0) if match.group(1) in read else "", css)


def _without_unread(css: str) -> str:
    """Drop custom properties that neither this file nor ours reads, until nothing more goes; then animations without a name."""
    own = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "static" / "css").glob("*.css")))
    before = ""
    while before != css:
        before = css
        css = _without_properties(css, set(re.findall(r"var\(\s*(--[A-Za-z0-9_-]+)", css + own)))
        css = re.sub(r"(?<=[}{;])[^{}@;]+\{\s*\}", "", css)
    for name in set(re.findall(r"@keyframes ([A-Za-z0-9_-]+)", css)):
        if not re.search(rf"animation(?:-name)?:[^;}}]*\b{re.escape(name)}\b", css + own):
            css = re.sub(rf"@keyframes {re.escape(name)}\{{(?:[^{{}}]*\{{[^{{}}]*\}})*[^{{}}]*\}}", "", css)
    return css


def fonts() -> str:
    """Return the typeface's rules with addresses that hold in Tabler's folder: one request less before the first word is shown."""
    rules = (FOLDER.parent / "inter" / "inter.css").read_text(encoding="utf-8")
    return re.sub(r'url\("', 'url("../inter/', re.sub(r"/\*.*?\*/\s*", "", rules, flags=re.S))


def main() -> None:
    words = words_used()
    for source, target in FILES.items():
        css = purged((FOLDER / source).read_text(encoding="utf-8"), words) + fonts()
        (FOLDER / target).write_text(css, encoding="utf-8")
        sys.stdout.write(f"{target}: {len(css.encode()):,} bytes\n")


if __name__ == "__main__":
    main()
