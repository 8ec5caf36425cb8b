#!/usr/bin/env python3
"""docs/security-inventory.md has what there is, and nothing else: each table and kind of document of the database, each
algorithm, each way in, each family of events in the log. usage: test_inventory.py"""
import glob
import os
import re
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def read(*folders):
    """All C of these folders, by file."""
    found = {}
    for folder in folders:
        for path in sorted(glob.glob(os.path.join(ROOT, folder, "**", "*.[ch]"), recursive=True)):
            with open(path, encoding="utf-8") as file:
                found[os.path.relpath(path, ROOT)] = file.read()
    return found


def section(text, begin, end):
    return text[text.index(begin):text.index(end)]


def names(text):
    return set(re.findall(r"`([\w-]+)`", text))


def tables(sources):
    texts = "".join(re.findall(r'"([^"]*)"', sources["ota-server/store/schema.c"]))
    return set(re.findall(r"CREATE TABLE (\w+)", texts))


def kinds(sources):
    """What stands in the column `kind` of a document."""
    found = set()
    for text in sources.values():
        found |= set(re.findall(r'_KIND "([a-z-]+)"', text))
        found |= set(re.findall(r'store_document\w*\([^;"{}]*?"([a-z-]+)"', text))
        found |= set(re.findall(r'auth_end_all\([^;"]*?"([a-z-]+)"', text))
        found |= set(re.findall(r'struct document(?:_filter)? \w+ = \{\s*\.kind = "([a-z-]+)"', text))
        found |= set(re.findall(r'struct api_kind \w+ = \{\s*\.kind = "([a-z-]+)"', text))
    return found


def algorithms(sources):
    found = set()
    for path, text in sources.items():
        if path.startswith("common/host/"):
            found |= set(re.findall(r'"((?:AES|DES)-[A-Z0-9-]+|CMAC|HMAC|SHA[0-9]+|SHAKE[0-9]+|MD5|prime256v1)"', text))
            found |= set(re.findall(r"\b(EVP_(?:sha|md)[0-9]\w*(?=\()|EVP_PKEY_ED25519|RSA_PKCS1\w*PADDING|argon2id_\w+(?=\()|getrandom|RAND_\w+)", text))
    return found


def ways(sources):
    found = set()
    for text in sources.values():
        for line in re.findall(r"->by = ([^;]*);", text):
            found |= set(re.findall(r'"([a-z+-]+)"', line))
    return found


def families(sources):
    """Before the dot of what stands first in a line of the log."""
    found = set()
    for path, text in sources.items():
        if "otactl" not in path:
            for call in re.findall(r"\b(?:log_begin|log_plain|log_peer|log_link|log_esme|tell)\(([^;]*);", text):
                found |= {name.split(".")[0] for name in re.findall(r'"([a-z_-]+\.[a-z_.-]+)"', call)}
    return found


def compare(what, written, there):
    yield from (f"docs/security-inventory.md does not name the {what} {name}" for name in sorted(there - written))
    yield from (f"docs/security-inventory.md names the {what} {name}, which is not there" for name in sorted(written - there))


def main():
    with open(os.path.join(ROOT, "docs", "security-inventory.md"), encoding="utf-8") as file:
        text = file.read()
    sources = read("ota-server", "common", "smpp")
    data = section(text, "**Tables of the database**", "An answer that is kept")
    cut = data.index("**Kinds of documents**")
    ways_in = section(text, "## Ways in", "**Guessing.**")
    pairs = (
        ("table", names(data[:cut]), tables(sources)),
        ("kind of document", names(data[cut:]) - {"document"}, kinds(sources)),
        ("algorithm", names("".join(re.findall(r"^\| (`.*?) \|", section(text, "| Algorithm,", "All of it comes from"), re.M))), algorithms(sources)),
        ("way in", set(re.findall(r"`([a-z+-]+)`", "".join(re.findall(r"^\| (`.*?) \|", ways_in, re.M)))), ways(sources)),
        ("family of events", names(re.search(r"Families of events.*?:(.*?)\. ", text)[1]), families(sources)),
    )
    assert len(list(compare("table", {"a"}, {"b"}))) == 2  # it can fail
    wrong = [fault for pair in pairs for fault in compare(*pair)]
    for fault in wrong:
        print(fault)
    print(", ".join(f"{len(there)} x {what}" for what, _, there in pairs))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
