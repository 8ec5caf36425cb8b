#!/usr/bin/env python3
"""docs/asvs.md goes through OWASP ASVS 5.0 as it says: each requirement of levels 1 and 2 once, each named test there,
each count right; and what it says is not there, is not. usage: test_asvs.py"""
import collections
import glob
import os
import re
import sys

from test_security import ROOT, tests_of

STATUSES = ("test", "not applicable", "open")
ROW = re.compile(r"^\| v5\.0\.0-([0-9.]+) \| ([^|]+) \| (test|not applicable|open): ([^|]+) \|$")
# Calls by which octets of others would be run, written past an end, or guessed.
NOT_CALLED = r"\b(?:system|popen|exec[lv]p?e?|wordexp|dlopen|regcomp|gets|strcpy|strcat|sprintf|vsprintf|alloca|s?rand|drand48|EVP_md5|EVP_md4|EVP_rc4)\("
NOT_INCLUDED = r"#include <(?:libxml|expat|pcre|regex|lua|ldap)"
NOT_IN_PAGES = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|postMessage|localStorage|sessionStorage|indexedDB|document\.cookie|\bon\w+="
NOT_ANSWERED = r"\b(?:api_reply|api_reply_empty|http_reply)\([^;]*\b30[1-8]\b"


def read(*patterns):
    for pattern in patterns:
        for path in sorted(glob.glob(os.path.join(ROOT, pattern), recursive=True)):
            with open(path, encoding="utf-8") as file:
                yield os.path.relpath(path, ROOT), file.read()


def found(pattern, *patterns):
    """Places where it stands, but for comments."""
    for path, text in read(*patterns):
        for number, line in enumerate(text.split("\n"), 1):
            if re.search(pattern, re.sub(r"//.*", "", line)):
                yield f"{path}:{number}: {line.strip()}"


def absent():
    sources = ("ota-server/**/*.[ch]", "common/**/*.[ch]", "smpp/**/*.[ch]")
    yield from found(NOT_CALLED, *sources)
    yield from found(NOT_INCLUDED, *sources)
    yield from found(NOT_ANSWERED, *sources)
    yield from found(NOT_IN_PAGES, "ota-server/web/*.js", "ota-server/web/*.html")
    for path, text in read("cmake/module.cmake"):
        for flag in ("-Wformat=2", "-Wvla"):
            if flag not in text:
                yield f"{path}: {flag} is gone"


def scripts():
    """Names of tests that are no functions, as ctest lists them."""
    names = set()
    for _, text in read("cmake/checks.cmake", "tests/**/CMakeLists.txt"):
        names |= set(re.findall(r"tidy_test\((\w+)", text)) | set(re.findall(r"add_test\(NAME (\w+)", text))
    return names


def rows_of(text):
    """Chapter, number, status, rest, of each row."""
    chapter = None
    for line in text.split("\n"):
        heading = re.match(r"## (\d+ .*)", line)
        chapter = heading[1] if heading else chapter
        if line.startswith("| v5"):
            row = ROW.match(line)
            yield (chapter, row[1], row[3], row[4]) if row else (chapter, line, None, "")


def judge(text, wanted, tests):
    """What is wrong with the page."""
    rows = list(rows_of(text))
    for chapter, number, status, rest in rows:
        if status is None:
            yield f"is no row: {number}"
            continue
        if number.split(".")[0] != chapter.split()[0]:
            yield f"has {number} in chapter {chapter}"
        names = [name for name in re.findall(r"`([a-z][a-z0-9_]+)`", rest) if "_" in name]
        yield from (f"names {name}, which is not there" for name in names if name not in tests)
        if status == "test" and not names:
            yield f"has no test for {number}"
    numbers = collections.Counter(number for _, number, _, _ in rows)
    yield from (f"lacks {number}" for number in wanted if numbers[number] == 0)
    yield from (f"has {number} {count} times" for number, count in numbers.items() if count > 1 or number not in wanted)
    total = collections.Counter(status for _, _, status, _ in rows)
    said = re.search(r"\*\*(\d+) requirements: (\d+) tested, (\d+) not applicable, (\d+) open\.\*\*", text)
    if said is None or [int(n) for n in said.groups()] != [len(wanted)] + [total[s] for s in STATUSES]:
        yield f"should say: {len(wanted)} requirements: " + ", ".join(f"{total[s]} {s}" for s in STATUSES)
    each = collections.Counter((chapter, status) for chapter, _, status, _ in rows)
    for chapter in dict.fromkeys(chapter for chapter, _, _, _ in rows):
        line = f"| {chapter} | " + " | ".join(str(each[chapter, s]) for s in STATUSES) + " |"
        if line not in text:
            yield f"should have the line {line}"


def main():
    with open(os.path.join(ROOT, "docs", "asvs.md"), encoding="utf-8") as file:
        text = file.read()
    with open(os.path.join(ROOT, "tests", "tidy", "asvs-5.0.0.txt"), encoding="utf-8") as file:
        wanted = [line.split()[0] for line in file if not line.startswith("#")]
    tests = tests_of("tests") | scripts()
    assert len(wanted) == len(set(wanted)) == 253
    sample = "**1 requirements: 1 tested, 0 not applicable, 0 open.**\n## 1 x\n| 1 x | 1 | 0 | 0 |\n| v5.0.0-1.1 | w | test: `no_such_test` |\n"
    assert list(judge(sample, ["1.1"], set())) == ["names no_such_test, which is not there"]  # it can fail
    assert list(judge(sample, ["1.1"], {"no_such_test"})) == []
    assert len(list(judge(sample.replace("1.1", "1.2"), ["1.1"], {"no_such_test"}))) == 2
    wrong = [f"docs/asvs.md {fault}" for fault in judge(text, wanted, tests)] + list(absent())
    for fault in wrong:
        print(fault)
    print(text.split("**")[1])
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
