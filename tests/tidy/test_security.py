#!/usr/bin/env python3
"""What docs/SECURITY.md names is there: each file, and each test as a function. usage: test_security.py"""
import os
import re
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def tests_of(folder):
    """Names of all test functions below it."""
    found = set()
    for path, _, files in os.walk(os.path.join(ROOT, folder)):
        for name in files:
            if name.endswith((".c", ".py")):
                with open(os.path.join(path, name), encoding="utf-8") as file:
                    found.update(re.findall(r"^(?:static void|    def) (\w+)\((?:void \*\*state|self)", file.read(), re.M))
    return found


def missing(text, tests):
    """Names in backquotes of a table that are neither a file nor a test."""
    for name in re.findall(r"`([^`]+)`", text):
        if "/" in name or name.endswith(".md"):
            if not os.path.exists(os.path.join(ROOT, name)):
                yield name
        elif "_" in name and name not in tests:
            yield name


def main():
    with open(os.path.join(ROOT, "docs", "SECURITY.md"), encoding="utf-8") as file:
        text = file.read()
    tests = tests_of("tests")
    assert list(missing("`a/b.c` `no_such_test`", tests)) == ["a/b.c", "no_such_test"]  # it can fail
    absent = list(missing(text, tests))
    for name in absent:
        print(f"docs/SECURITY.md names {name}, which is not there")
    rules = re.findall(r"^\| ([A-Z]+\d) ", text, re.M)
    print(f"{len(rules)} rules, {len(tests)} tests, {len(absent)} names that are not there")
    return 1 if absent or len(rules) != len(set(rules)) else 0


if __name__ == "__main__":
    sys.exit(main())
