"""The completions of the shells: each offers what the program itself says there is."""
import os
import re
import subprocess
import sys
import unittest

import yaml

PROGRAM = os.path.join(os.path.abspath(sys.argv.pop(1)), "otactl")
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
FOLDER = os.path.join(ROOT, "ota-server", "shell")
# Whose values are those of a parameter of the interface.
PARAMETERS = {
    ("card list", "--state"): ("/cards", "state"), ("card list", "--mark"): ("/cards", "mark"),
    ("card list", "--application-field"): ("/cards", "applicationField"),
    ("bootstrap list", "--state"): ("/card-groups/{groupId}/bootstrap-jobs", "state"),
    ("campaign list", "--state"): ("/campaigns", "state"), ("delivery list", "--state"): ("/event-deliveries", "state"),
    ("alarm list", "--state"): ("/alarms", "state"), ("approval list", "--state"): ("/approvals", "state"),
    ("subscription list", "--state"): ("/subscriptions", "state"), ("op list", "--type"): ("/operations", "type"),
    ("op list", "--status"): ("/operations", "status"), ("op list", "--outcome"): ("/operations", "outcome"),
    ("op list", "--failure-code"): ("/operations", "failureCode"), ("kpi show", "--window"): ("/kpis", "window"),
    ("campaign cards", "--result"): ("/campaigns/{campaignId}/cards", "result"),
}


def run(*command, **more):
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, **more)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.split()


def bash(*words):
    # The shell breaks words at "=".
    split = [part for word in words for part in re.split("(=)", word) if part]
    quoted = " ".join(f"'{word}'" for word in (PROGRAM, *split, *([""] if not words[-1] else [])))
    count = len(split) + (not words[-1])
    return run("bash", "-c", f"source {FOLDER}/otactl.bash; COMP_WORDS=({quoted}); COMP_CWORD={count}; _otactl;"
               'printf "%s\\n" "${COMPREPLY[@]}"')


def zsh(*words):
    quoted = " ".join(f"'{word}'" for word in (PROGRAM, *words))
    # What belongs to the line editor: candidates are printed as they are added.
    return [word for word in run("zsh", "-fc", 'compdef() { }; _files() { print FILES }\n'
                                 'compset() { PREFIX=${PREFIX#*=} }\n'
                                 'compadd() { local -a c; [[ $1 == -S ]] && shift 2; shift; c=("$@"); print -l -- ${(M)c:#$PREFIX*} }\n'
                                 f"source {FOLDER}/otactl.zsh; words=({quoted}); CURRENT={len(words) + 1};"
                                 f"PREFIX='{words[-1]}'; _otactl") if word != "FILES"]


def fish(*words):
    environment = {**os.environ, "PATH": os.path.dirname(PROGRAM) + ":" + os.environ["PATH"], "HOME": "/nonexistent"}
    line = " ".join(("otactl", *words))
    found = run("fish", "--no-config", "-c", f"source {FOLDER}/otactl.fish; complete -C '{line}'", env=environment)
    # It offers a value with what stands before it.
    before = re.match(".*=", words[-1])
    return [word.removeprefix(before[0]) for word in found] if before else found


class Completion(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lines = [line.split() for line in subprocess.run([PROGRAM, "--words"], capture_output=True, text=True, check=True).stdout.splitlines()]

    def each(self, wanted, *words):
        for shell in (bash, zsh, fish):
            with self.subTest(shell=shell.__name__, words=words):
                self.assertEqual(sorted(set(shell(*words))), sorted(set(wanted)))

    def test_nouns_come_first(self):
        self.each({line[0] for line in self.lines if line[0].startswith("c")}, "c")
        self.assertIn("card", bash("c"))

    def test_then_the_verbs_of_the_noun(self):
        self.each({line[1] for line in self.lines if line[0] == "card" and line[1].startswith("re")}, "card", "re")
        self.assertIn("retire", bash("card", "re"))

    def test_then_the_options_of_the_verb(self):
        (line,) = [line for line in self.lines if line[:2] == ["card", "audit"]]
        self.each([re.sub("=.*", "=", word) for word in line[2:]], "card", "audit", "--")
        self.each(["--wait", "--when="], "card", "audit", "--w")

    def test_a_noun_without_verbs_has_options(self):
        (line,) = [line for line in self.lines if line[:2] == ["doctor", "-"]]
        self.each([re.sub("=.*", "=", word) for word in line[2:]], "doctor", "--")

    def test_options_before_are_no_nouns(self):
        self.each(["retire"], "--json", "card", "ret")


    def test_values_are_those_of_the_enumeration(self):
        self.each(["RETIRED", "RESERVED"], "subscription", "list", "--state", "RE")
        self.each(["RETIRED"], "card", "list", "--state", "RE")
        self.each(["RETIRED"], "card", "list", "--state=RE")
        self.each(["OPEN", "ACKNOWLEDGED", "CLEARED"], "alarm", "list", "--state=")
        self.each(["cards", "subscriptions"], "import", "run", "--kind=")
        self.each(["set-fallback", "set-timers"], "op", "list", "--type", "set")
        self.each(["REGULATOR"], "report", "create", "type=R")
        self.each(["type="], "report", "create", "ty")

    def words(self, command):
        (line,) = [line for line in self.lines if line[:2] == command.split()]
        return dict(word.split("=", 1) for word in line[2:] if "=" in word)

    def test_values_are_those_of_the_document(self):
        with open(os.path.join(ROOT, "docs/openapi/connectivity-management.yaml"), encoding="utf-8") as file:
            document = yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        for (command, option), (path, name) in PARAMETERS.items():
            with self.subTest(command=command, option=option):
                get = document["paths"]["/connectivity-management/v1" + path]["get"]
                (schema,) = [one["schema"] for one in get["parameters"] if one.get("name") == name]
                self.assertEqual(self.words(command)[option].split("|"), schema["enum"])
        schemas = document["components"]["schemas"]
        self.assertEqual(self.words("report create")["type"].split("|"), schemas["ReportType"]["enum"])
        self.assertEqual(self.words("permission list")["--operation"].split("|"),
                         schemas["PermissionSet"]["properties"]["operations"]["items"]["enum"])


if __name__ == "__main__":
    unittest.main()
