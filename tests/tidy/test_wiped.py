#!/usr/bin/env python3
"""Each wipe of a secret is in the object code that -O2 made: every call of secret_wipe() that stands in a source is a call in
its object, and secret_wipe() writes. usage: test_wiped.py BUILD COMPILER"""
import glob
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
FOLDERS = ("common", "ota-server", "applet", "smpp", "profiles", "sim-emulator")
# What a compiler does to a wipe that it can see through, and to one of ours.
SAMPLE = """
#include <string.h>
void secret_wipe(void *at, size_t len);
void take(unsigned char *key);
int use(const unsigned char *key);
int forgotten(void) { unsigned char key[64]; for (int i = 0; i < 64; i++) key[i] = (unsigned char)i;
    int sum = 0; for (int i = 0; i < 64; i++) sum += key[i]; memset(key, 0, sizeof key); return sum; }
int wiped(void) { unsigned char key[64]; for (int i = 0; i < 64; i++) key[i] = (unsigned char)i;
    int sum = 0; for (int i = 0; i < 64; i++) sum += key[i]; secret_wipe(key, sizeof key); return sum; }
"""


def calls(path, name):
    """How often an object refers to it."""
    shown = subprocess.run(["objdump", "-r", path], capture_output=True, text=True, check=True).stdout
    return len(re.findall(rf"\b{name}\b", shown))


def written(path):
    """How often a source calls secret_wipe()."""
    with open(path, encoding="utf-8") as file:
        text = re.sub(r"/\*.*?\*/|//[^\n]*", "", file.read(), flags=re.S)
    return len(re.findall(r"\bsecret_wipe\(", text))


def sample_keeps(compiler):
    with tempfile.TemporaryDirectory() as folder:
        source, made = os.path.join(folder, "sample.c"), os.path.join(folder, "sample.o")
        with open(source, "w", encoding="utf-8") as file:
            file.write(SAMPLE)
        subprocess.run([compiler, "-O2", "-c", source, "-o", made], check=True)
        return calls(made, "memset"), calls(made, "secret_wipe")


def wipe_of(path):
    shown = subprocess.run(["objdump", "-dr", "--disassemble=secret_wipe", path], capture_output=True, text=True, check=True).stdout
    return re.search(r"memset|rep stos|movups.*\(%|str\s|stp\s", shown) is not None


def main():
    build, compiler = sys.argv[1:]
    assert sample_keeps(compiler) == (0, 1), sample_keeps(compiler)  # it can fail: what the compiler sees through is gone
    faults, files, total = [], 0, 0
    for folder in FOLDERS:
        for source in sorted(glob.glob(os.path.join(ROOT, folder, "**", "*.c"), recursive=True)):
            name = os.path.relpath(source, ROOT)
            count = written(source)
            made = glob.glob(os.path.join(build, os.path.dirname(name), "CMakeFiles", "*", os.path.basename(name) + ".o"))
            if name == "common/base/secret.c":
                faults += [f"{path}: secret_wipe() writes nothing" for path in made if not wipe_of(path)] or ([] if made else [name + " was not built"])
            elif count > 0 and made:
                files, total = files + 1, total + count
                faults += [f"{path}: {calls(path, 'secret_wipe')} of {count} wipes are left" for path in made if calls(path, "secret_wipe") < count]
    if files < 40:
        faults.append(f"only {files} files with wipes were built in {build}: build the programs first")
    print("\n".join(faults) if faults else f"{total} wipes of {files} files are in the object code")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
