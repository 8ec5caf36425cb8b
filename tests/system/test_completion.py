"""The completions of the shells: each offers what the program itself says there is."""
import os
import subprocess
import sys
import unittest

PROGRAM = os.path.join(os.path.abspath(sys.argv.pop(1)), "otactl")
FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "ota-server", "shell")


def run(*command, **more):
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, **more)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.split()


def bash(*words):
    quoted = " ".join(f"'{word}'" for word in (PROGRAM, *words))
    return run("bash", "-c", f"source {FOLDER}/otactl.bash; COMP_WORDS=({quoted}); COMP_CWORD={len(words)}; _otactl;"
               'printf "%s\\n" "${COMPREPLY[@]}"')


def zsh(*words):
    quoted = " ".join(f"'{word}'" for word in (PROGRAM, *words))
    # What belongs to the line editor: candidates are printed as they are added.
    return [word for word in run("zsh", "-fc", 'compdef() { }; _files() { print FILES }\n'
                                 'compadd() { local -a c; [[ $1 == -S ]] && shift 2; shift; c=("$@"); print -l -- ${(M)c:#$PREFIX*} }\n'
                                 f"source {FOLDER}/otactl.zsh; words=({quoted}); CURRENT={len(words) + 1};"
                                 f"PREFIX='{words[-1]}'; _otactl") if word != "FILES"]


def fish(*words):
    environment = {**os.environ, "PATH": os.path.dirname(PROGRAM) + ":" + os.environ["PATH"], "HOME": "/nonexistent"}
    line = " ".join(("otactl", *words))
    return run("fish", "--no-config", "-c", f"source {FOLDER}/otactl.fish; complete -C '{line}'", env=environment)


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
        self.each(line[2:], "card", "audit", "--")
        self.each(["--wait", "--when="], "card", "audit", "--w")

    def test_a_noun_without_verbs_has_options(self):
        (line,) = [line for line in self.lines if line[:2] == ["doctor", "-"]]
        self.each(line[2:], "doctor", "--")

    def test_options_before_are_no_nouns(self):
        self.each(["retire"], "--json", "card", "ret")


if __name__ == "__main__":
    unittest.main()
