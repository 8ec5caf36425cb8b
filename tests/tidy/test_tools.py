#!/usr/bin/env python3
"""What the tools report of something wrong: each in a tree of its own, with small things to judge."""
import json
import os
import re
import stat
import subprocess
import sys
import tempfile
import unittest

TOOLS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools")


class Tree(unittest.TestCase):
    """A test that stands in an empty folder."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(folder.name)
        self.path = {**os.environ, "PATH": f"{folder.name}/fake:{os.environ['PATH']}"}

    def write(self, path, text):
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def program(self, path, text):
        self.write(path, f"#!/bin/sh\n{text}")
        os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR)

    def tool(self, name, *arguments):
        """Its exit status, what it printed, and its figures by name."""
        said = subprocess.run([sys.executable, os.path.join(TOOLS, name), *arguments], capture_output=True, text=True,
                              check=False, env=self.path, timeout=120)
        figures = [json.loads(line[len("figure "):]) for line in said.stdout.splitlines() if line.startswith("figure ")]
        by_name = {}
        for figure in figures:
            by_name.setdefault(figure["name"], []).append(figure)
        return said.returncode, said.stdout + said.stderr, by_name

    def commit(self):
        git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org"]
        for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "more"]):
            subprocess.run([*git, *command], check=True)


class Worlds(Tree):
    SEEDS = ("--sqlite", "1..250", "--arrays", "1..300")

    def worlds(self, says):
        self.program("build/release/bin/ota-world", says)
        self.program("build/release/bin/ota-world-array", says)
        self.write("tests/sim/unmet.txt", "# why\na flood  # needs rain\n")

    def test_card_days_are_added_and_what_all_worlds_missed_is_told(self):
        self.worlds('[ "$2" = 251..300 ] || echo "never: a cut"\necho "never: a flood"\n'
                    'echo "100 card-days, no violation; 8 of 10 situations"\n'
                  'echo "judged a_rule, here: 3 of 4"\n')
        status, said, figures = self.tool("worlds", *self.SEEDS, "--years", "0.8")
        self.assertEqual(status, 0, said)
        self.assertEqual([f["value"] for f in figures["sim.card_days"]], [100, 100])
        self.assertEqual([f["seeds"] for f in figures["sim.card_days_sqlite"]], ["1-250"])
        self.assertEqual([f["what"] for f in figures["sim.never_met"]], ["a flood"])
        self.assertEqual([(f["what"], f["value"], f["of"]) for f in figures["sim.judged"]], [("a_rule, here", 9, 12)])
        self.assertEqual((figures["sim.probes"][0]["value"], figures["sim.probes"][0]["of"]), (9, 10))

    def test_a_situation_that_no_world_met_and_no_list_allows_fails(self):
        self.worlds('echo "never: a flood "\necho "never: a cut"\n'
                    'echo "1000 card-days, no violation; 8 of 10 situations"\n')
        status, said, _ = self.tool("worlds", *self.SEEDS, "--years", "0")
        self.assertEqual(status, 1)
        self.assertIn("does not name 'a cut'", said)
        self.assertNotIn("'a flood'", said)

    def test_what_is_allowed_and_was_met_is_told(self):
        self.worlds('echo "1000 card-days, no violation; 10 of 10 situations"\n')
        status, said, _ = self.tool("worlds", *self.SEEDS, "--years", "0")
        self.assertEqual(status, 0, said)
        self.assertIn("'a flood' was met by now", said)

    def test_too_few_card_years_fail(self):
        self.worlds('echo "100 card-days, no violation; 10 of 10 situations"')
        self.assertEqual(self.tool("worlds", *self.SEEDS, "--years", "0.9")[0], 1)

    def test_a_violation_fails_and_is_shown(self):
        self.worlds('[ "$2" != 251..300 ] || { echo "VIOLATION I12"; exit 1; }\n'
                    'echo "1000 card-days, no violation; 10 of 10 situations"')
        status, said, figures = self.tool("worlds", *self.SEEDS, "--years", "0")
        self.assertEqual(status, 1)
        self.assertIn("ota-world-array --seeds 251..300: exit 1\nVIOLATION I12", said)
        self.assertEqual(figures["sim.violations"][0]["value"], 1)

    def test_a_world_that_says_nothing_did_not_pass(self):
        self.worlds("true")
        self.assertEqual(self.tool("worlds", *self.SEEDS, "--years", "0")[0], 1)


class Models(Tree):
    def model(self, name, head, body):
        self.write(f"tests/proof/models/{name}.pml", f"/*\n * {head}\n */\nactive proctype P()\n{{\n{body}\n}}\n")

    def test_a_claim_that_holds_and_a_wrong_variant_that_breaks_it(self):
        self.model("good", "check\n * refuted -DWRONG=2  counts twice", "byte n = 1;\n#ifdef WRONG\nn = WRONG;\n"
                   "#endif\nassert(n == 1)")
        status, said, figures = self.tool("models")
        self.assertEqual(status, 0, said)
        self.assertIn("ok  good check", said)
        self.assertIn("ok  good refuted -DWRONG=2", said)
        self.assertEqual((figures["model.wrong"][0]["value"], figures["model.wrong"][0]["of"]), (1, 1))
        self.assertGreater(figures["model.states"][0]["value"], 0)

    def test_a_broken_claim_fails_unless_it_is_not_looked_at(self):
        self.model("bad", "check\n * check -DMORE", "byte n = 1;\n#ifdef MORE\nn = 2;\n#endif\nassert(n == 1)")
        status, said, _ = self.tool("models")
        self.assertEqual(status, 1)
        self.assertRegex(said, "BAD bad check -DMORE: .*assertion violated")
        self.assertEqual(self.tool("models", "--quick")[0], 0)

    def test_a_wrong_variant_that_breaks_nothing_fails(self):
        self.model("idle", "check\n * refuted -DHARMLESS", "assert(true)")
        status, said, figures = self.tool("models")
        self.assertEqual(status, 1)
        self.assertIn("BAD idle refuted -DHARMLESS", said)
        self.assertEqual((figures["model.wrong"][0]["value"], figures["model.wrong"][0]["of"]), (0, 1))

    def test_a_run_that_stops_half_way_breaks_a_claim(self):
        self.model("stuck", "check", "chan c = [0] of { byte };\nc?_")
        status, said, _ = self.tool("models")
        self.assertEqual(status, 1)
        self.assertRegex(said, "BAD stuck check : .*invalid end state")

    def test_what_is_no_model_stops_it(self):
        self.model("wrong", "check", "this is none")
        status, said, figures = self.tool("models")
        self.assertEqual((status, figures), (1, {}))
        self.assertIn("wrong.pml", said)


class Prove(Tree):
    """The verdicts; that the prover itself proves and refuses, the planted bugs of goals.txt show."""

    def setUp(self):
        super().setUp()
        self.program("fake/why3", 'touch "$WHY3CONFIG"')
        # What it says depends on the source, its last argument.
        self.program("fake/frama-c", 'for source; do :; done\nif grep -q OPEN "$source"; then\n'
                     'printf "[wp] [Failed] Goal typed_f_assert\\n[wp] Proved goals:    3 / 4\\n"\n'
                     'elif grep -q UNREADABLE "$source"; then echo "user error: syntax"\n'
                     'else echo "[wp] Proved goals:    4 / 4"; fi')

    def prove(self, source, bug="one"):
        self.write("a.c", f"int f(int a)\n{source}\n")
        self.write("a.h", "static inline int g(int a)\n")
        self.write("tests/proof/goals.txt", f"# all\na.c: f g\n\nbug a.c f\n  - {bug}\n  + OPEN\n")
        return self.tool("prove")

    def test_all_goals_and_a_planted_bug_that_is_noticed(self):
        status, said, figures = self.prove("one two")
        self.assertEqual(status, 0, said)
        self.assertEqual((figures["proof.goals"][0]["value"], figures["proof.goals"][0]["of"]), (4, 4))
        self.assertIn("0 goals open, 0 of 1 planted bugs not noticed", said)

    def test_an_open_goal_fails_and_is_named(self):
        status, said, figures = self.prove("one OPEN")
        self.assertEqual(status, 1)
        self.assertIn("open: typed_f_assert", said)
        self.assertEqual((figures["proof.goals"][0]["value"], figures["proof.goals"][0]["of"]), (3, 4))

    def test_a_planted_bug_that_leaves_no_goal_open_fails(self):
        self.write("a.c", "int f(int a)\none two\n")
        self.write("tests/proof/goals.txt", "a.c: f\n\nbug a.c f\n  - one\n  + another\n")
        status, said, _ = self.tool("prove")
        self.assertEqual(status, 1)
        self.assertIn("0 goals open, 1 of 1 planted bugs not noticed", said)

    def test_a_planted_bug_must_fit_one_place(self):
        for source in ("one one", "two"):
            status, said, _ = self.prove(source)
            self.assertEqual(status, 1)
            self.assertIn("'one' does not stand once in a.c", said)
            self.assertEqual(self.tool("prove", "--fits")[0], 1)

    def test_what_is_proved_must_be_there(self):
        self.assertEqual(self.prove("one two")[0], 0)
        self.assertEqual(self.tool("prove", "--fits")[0], 0)
        self.write("a.h", "int h(int g)\n")
        status, said, figures = self.tool("prove", "--fits")
        self.assertEqual((status, figures), (1, {}))
        self.assertIn("a.c has no function g", said)

    def test_a_prover_that_tried_nothing_stops_it(self):
        status, said, _ = self.prove("one UNREADABLE")
        self.assertEqual(status, 1)
        self.assertIn("a.c: no proof was tried", said)


class Fuzz(Tree):
    PROJECT = """cmake_minimum_required(VERSION 3.25)
project(tiny C)
enable_testing()
foreach(name good bad)
    add_executable(fuzz_${name} ${name}.c)
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    add_test(NAME fuzz_${name} COMMAND fuzz_${name} corpus WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(fuzz_${name} PROPERTIES LABELS fuzz DISABLED TRUE)
endforeach()
"""
    PRESETS = {"version": 6,
               "configurePresets": [{"name": "fuzz", "generator": "Ninja", "binaryDir": "${sourceDir}/build/fuzz",
                                     "cacheVariables": {"CMAKE_C_COMPILER": "clang",
                                                        "CMAKE_C_FLAGS": "-fsanitize=fuzzer-no-link"}}],
               "buildPresets": [{"name": "fuzz", "configurePreset": "fuzz"}]}
    TARGET = "int LLVMFuzzerTestOneInput(const char *at, unsigned long len);\n" \
             "int LLVMFuzzerTestOneInput(const char *at, unsigned long len)\n{\n    %s\n    return 0;\n}\n"

    def test_findings_and_choices(self):
        self.write("CMakeLists.txt", self.PROJECT)
        self.write("CMakePresets.json", json.dumps(self.PRESETS))
        self.write(".gitignore", "build\n")
        self.write("corpus/one", "b")
        self.write("good.c", self.TARGET % "(void)at, (void)len;")
        self.write("bad.c", self.TARGET % "if (len > 0 && at[0] == 'b') __builtin_trap();")
        self.commit()
        self.write("good.c", self.TARGET % "(void)len, (void)at;")
        self.commit()

        # The last commit touched one target, and nothing is wrong with that.
        status, said, figures = self.tool("fuzz", "--seconds", "1", "--changed")
        self.assertEqual(status, 0, said)
        self.assertIn("1 targets, 0 found something", said)
        self.assertEqual(figures["fuzz.executions"][0]["what"], "fuzz_good")
        self.assertGreater(figures["fuzz.executions"][0]["value"], 1)
        self.assertEqual(figures["fuzz.corpus"][0]["value"], 1)

        status, said, figures = self.tool("fuzz", "--seconds", "1")
        self.assertEqual(status, 1, said)
        self.assertIn("2 targets, 1 found something", said)
        self.assertEqual({f["what"]: f["value"] for f in figures["fuzz.findings"]}, {"fuzz_good": 0, "fuzz_bad": 1})
        self.assertTrue([f for f in os.listdir("build/fuzz/found") if f.startswith("fuzz_bad-crash-")])

        status, said, _ = self.tool("fuzz", "fuzz_none")
        self.assertEqual(status, 1)
        self.assertIn("no such target: fuzz_none; there are: fuzz_bad fuzz_good", said)


class Mutate(Tree):
    JUDGES = ("test_base", "test_json_writer", "test_tlv", "test_command", "test_secured")  # of common/base
    SOURCE = "int more(int a);\nint more(int a)\n{\n    return a + 1;\n}\n"
    EXCUSE = "common/base/more.c more\n- return a + 1;\n+ return a + %d;\n= It is a test.\n"

    def setUp(self):
        super().setUp()
        self.write("common/base/more.c", self.SOURCE)
        self.write("tests/mutation.txt", "")

    def mutants(self, *arguments):
        return self.tool("mutate", *arguments, "common/base/more.c")

    def test_each_operator_constant_and_condition_is_changed(self):
        self.write("common/base/more.c", "int f(int a)\n{\n    if (a < 3)\n        return a + 1;\n    return !a;\n}\n")
        status, said, _ = self.mutants("--list")
        self.assertEqual(status, 0)
        self.assertEqual(set(re.findall(r"^\+ (.*)", said, re.M)), {
            "if (a <= 3)", "if (a >= 3)", "if (a < 4)", "if (a < 2)", "if (true)", "if (false)",
            "return a - 1;", "return a + 2;", "return a + 0;", "return a;"})

    def test_a_named_number_is_changed_as_the_number_that_it_is(self):
        self.write("common/base/more.c", "#define MARK 0xA5 // a mark\n#define MOST 16\n")
        self.assertEqual(set(re.findall(r"^\+ (.*)", self.mutants("--list")[1], re.M)), {
            "#define MARK 166 // a mark", "#define MARK 164 // a mark", "#define MOST 17", "#define MOST 15"})

    def test_of_two_equal_lines_the_second_has_a_number(self):
        self.write("common/base/more.c", "void f(int *a)\n{\n    ++*a;\n    more();\n    ++*a;\n}\n")
        said = self.mutants("--list")[1]
        self.assertEqual(re.findall(r"^- (.*)\n\+ --", said, re.M), ["++*a;", "++*a; [2]"])

    def test_one_reason_for_several_mutants(self):
        self.build()
        self.write("tests/mutation.txt", self.EXCUSE.replace("= ", "+ return a + 0;\n= ") % 2)
        self.assertEqual(self.mutants()[0], 0)

    def test_a_reason_needs_its_mutant(self):
        self.write("tests/mutation.txt", "= It is a test.\n")
        status, said, _ = self.mutants("--list")
        self.assertEqual(status, 1)
        self.assertIn("tests/mutation.txt:1: a reason without a mutant", said)

    def build(self):
        """Tests of which each notices `a - 1` of three mutants, not `a + 2` and `a + 0`."""
        programs = "".join(f"add_executable({n} weak.c)\ntarget_link_libraries({n} more)\n" for n in self.JUDGES)
        self.write("CMakeLists.txt", "cmake_minimum_required(VERSION 3.25)\nproject(tiny C)\n"
                   f"add_library(more STATIC common/base/more.c)\n{programs}")
        if not os.path.exists("weak.c"):
            self.write("weak.c", "int more(int a);\nint main(void)\n{\n    return more(1) > 0 ? 0 : 1;\n}\n")
        subprocess.run(["cmake", "-G", "Ninja", "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON", "-B", "build/dev"], check=True,
                       stdout=subprocess.DEVNULL)
        subprocess.run(["cmake", "--build", "build/dev"], check=True, stdout=subprocess.DEVNULL)

    def test_mutants_that_are_noticed_open_excused_and_gone(self):
        self.build()
        status, said, figures = self.mutants()
        self.assertEqual(status, 1)
        self.assertIn("+ return a + 2;", said)
        self.assertIn("+ return a + 0;", said)
        self.assertNotIn("+ return a - 1;", said)
        self.assertIn("3 tried, 2 open, 0 excuses out of date", said)
        self.assertEqual((figures["mutation.killed"][0]["value"], figures["mutation.killed"][0]["of"]), (1, 3))
        self.assertEqual(self.mutants("--least", "33")[0], 0)
        self.assertEqual(self.mutants("--least", "34")[0], 1)

        self.write("tests/mutation.txt", self.EXCUSE % 2 + "\n" + self.EXCUSE % 0)
        status, said, figures = self.mutants()
        self.assertEqual(status, 0, said)
        self.assertEqual(figures["mutation.excused"][0]["value"], 2)
        self.write("tests/mutation.txt", self.EXCUSE % 2 + "\n" + self.EXCUSE % 0 + "\n" + self.EXCUSE % 7)
        for arguments in (["common/base/more.c"], ["--excuses"]):
            status, said, _ = self.tool("mutate", *arguments)
            self.assertEqual(status, 1)
            self.assertIn("tests/mutation.txt: fits no mutant", said)

    def test_an_excuse_of_what_a_test_notices_is_refused(self):
        self.build()
        self.write("tests/mutation.txt", self.EXCUSE.replace("a + %d", "a - 1"))
        status, said, _ = self.mutants("--least", "0")
        self.assertEqual(status, 1)
        self.assertIn("excused, but test_base notices", said)

    def test_tests_that_fail_without_a_mutant_judge_nothing(self):
        self.write("weak.c", "int main(void)\n{\n    return 1;\n}\n")
        self.build()
        status, said, _ = self.mutants()
        self.assertEqual(status, 1)
        self.assertIn("test_base: fails without a mutant", said)

    def test_a_run_goes_on_where_it_stopped(self):
        self.build()
        self.write(".gitignore", "build\nkept\nscore\n")
        self.commit()
        arguments = ("--keep", "kept", "--score", "score")
        status, said, _ = self.mutants(*arguments, "--minutes", "0")
        self.assertEqual(status, 1)
        self.assertIn("0 tried, 0 open", said)
        self.assertIn("score: not all were tried", said)
        self.assertIn("3 tried, 2 open", self.mutants(*arguments)[1])
        with open("score", encoding="utf-8") as score:
            part, *figures = [json.loads(line) for line in score]
        self.assertEqual((part["passed"], part["failed"], part["is_changed"]), (1, 2, False))
        self.assertEqual([(f["name"], f["value"], f["of"]) for f in figures], [
            ("mutation.all_killed", 1, 3), ("mutation.all_excused", 0, 3), ("mutation.all_open", 2, 3)])

        # Nothing is left to try; what is open counts at one commit only, and is tried again at the next.
        os.rename("build", "gone")
        self.assertIn("3 tried, 2 open", self.mutants(*arguments)[1])
        os.rename("gone", "build")
        self.write("weak.c", "int more(int a);\nint main(void)\n{\n    return more(1) == 2 ? 0 : 1;\n}\n")
        self.commit()
        subprocess.run(["cmake", "--build", "build/dev"], check=True, stdout=subprocess.DEVNULL)
        self.assertIn("not all were tried, or not at this commit", self.mutants(*arguments)[1])
        status, said, _ = self.mutants(*arguments, "--again")
        self.assertEqual(status, 0, said)
        self.assertIn("3 tried, 0 open", said)


class Coverage(Tree):
    """The verdicts, on what the compiler's tools say that was missed."""
    TESTS = ("test_more", "test_elsewhere", "more_finds_it")

    def setUp(self):
        super().setUp()
        shown = {"tests": [{"name": n, "command": [os.path.abspath(f"build/coverage/{self.folder(n)}/{n}")]}
                           for n in self.TESTS]}
        self.write("build/coverage/build.ninja", "".join(
            f"build {self.folder(n)}/{n}: C_EXECUTABLE_LINKER__{n}_ {n}.o\n" for n in self.TESTS))
        self.program("fake/ctest", f"echo '{json.dumps(shown)}'")
        self.write("applet/more.c", "    check(a);\n    more(a);\n")
        self.missed(branches=3, conditions=1)

    @staticmethod
    def folder(test):
        return "tests/unit/server" if test == "test_elsewhere" else "tests/unit/applet"

    def missed(self, branches, conditions):
        """Of five branches with two sides each. One of a check() and one of another macro stand apart."""
        summary = {"lines": {"count": 9, "covered": 9}, "mcdc": {"count": 4, "covered": 4 - conditions}}
        sides = [1] * (10 - branches) + [0] * branches
        found = [[1, 1, 1, 2, *sides[i:i + 2], 0, 0, 4] for i in range(0, 10, 2)]
        expansions = [{"source_region": [1, 5, 1, 10, 1, 0, 1, 1], "branches": [[5, 1, 5, 2, 1, 0, 0, 0, 4]]},
                      {"source_region": [2, 5, 2, 9, 1, 0, 1, 1], "branches": found[4:]}]
        files = [{"filename": os.path.join(os.getcwd(), "applet/more.c"), "summary": summary, "branches": found[:4],
                  "expansions": expansions}]
        self.program("fake/llvm-cov-19", f"echo \"$@\" > said; echo '{json.dumps({'data': [{'files': files}]})}'")

    def test_what_counts_is_run_by_tests_of_its_folders_without_planted_bugs(self):
        self.write("tests/coverage.txt", "applet/more.c 3 1\n")
        self.assertEqual(self.tool("coverage", "--no-run")[0], 0)
        with open("said", encoding="utf-8") as text:
            self.assertRegex(text.read(), "^export build/coverage/tests/unit/applet/test_more -instr-profile")

    def test_a_tool_that_fails_is_told(self):
        self.write("tests/coverage.txt", "")
        self.program("fake/llvm-cov-19", "echo no such profile >&2; exit 1")
        status, said, _ = self.tool("coverage", "--no-run")
        self.assertEqual(status, 1)
        self.assertIn("no such profile", said)

    def test_no_more_may_be_missed_than_is_allowed(self):
        for row, status in (("3 1", 0), ("4 1", 0), ("2 1", 1), ("3 0", 1)):
            self.write("tests/coverage.txt", f"applet/more.c {row}  # a reason\n")
            self.assertEqual(self.tool("coverage", "--no-run")[0], status, row)
        self.write("tests/coverage.txt", "")
        status, said, figures = self.tool("coverage", "--no-run")
        self.assertEqual(status, 1)
        self.assertIn("applet/more.c: 3 branches and 1 conditions are not reached; allowed are 0 and 0", said)
        self.assertEqual((figures["coverage.branches"][0]["value"], figures["coverage.branches"][0]["of"]), (7, 10))

    def test_what_is_allowed_is_lowered_never_raised(self):
        self.write("tests/coverage.txt", "# head\napplet/more.c 5 0  # a reason\n")
        self.assertEqual(self.tool("coverage", "--lower")[0], 0)
        with open("tests/coverage.txt", encoding="utf-8") as text:
            self.assertEqual(text.read(), "# head\napplet/more.c                    3     0  # a reason\n")
        self.missed(branches=0, conditions=0)
        self.assertEqual(self.tool("coverage", "--lower")[0], 0)
        with open("tests/coverage.txt", encoding="utf-8") as text:
            self.assertEqual(text.read(), "# head\n")


class Components(Tree):
    """Programs that load one library, whose package a fake dpkg-query tells."""

    def setUp(self):
        super().setUp()
        self.programs("/lib/libssl.so.3")
        self.program("fake/objdump", "echo '  NEEDED               libssl.so.3'")
        self.owner("3.0.19-1 openssl")

    def programs(self, library):
        self.program("fake/ldd", f"echo '  libssl.so.3 => {library} (0x00007f)'")

    def owner(self, row):
        self.program("fake/dpkg-query", f"[ $1 = -S ] && echo \"libssl3:amd64: $2\" || echo '{row}'")

    def test_what_the_programs_load_is_listed(self):
        status, said, _ = self.tool("components", "bin")
        self.assertEqual(status, 0, said)
        self.assertRegex(said, r"^libssl3 +3\.0\.19-1 +openssl +named +ota-server otactl sim-emulator smsc-sim vendor-make\n$")
        bill = json.loads(self.tool("components", "--json", "bin")[1])
        self.assertEqual((bill["bomFormat"], bill["components"][0]["purl"], bill["dependencies"][0]["dependsOn"]),
                         ("CycloneDX", "pkg:deb/debian/libssl3@3.0.19-1", ["libssl3"]))

    def test_what_was_never_tested_is_refused(self):
        for row, words in (("3.0.2-1 openssl", "libssl3: 3.0.2-1 is older than 3.0.11"),
                           ("9-1 newcomer", "has no least version of newcomer")):
            self.owner(row)
            status, said, _ = self.tool("components", "bin")
            self.assertEqual(status, 1)
            self.assertIn(words, said)

    def test_a_library_of_no_package_is_told(self):
        self.program("fake/dpkg-query", "exit 1")
        status, said, _ = self.tool("components", "bin")
        self.assertEqual(status, 1)
        self.assertIn("/lib/libssl.so.3 is of no package", said)
        self.programs("not found")
        self.assertIn("libssl.so.3 is not found", self.tool("components", "bin")[1])


class Equal(Tree):
    """A build that another one is compared with; cmake is a fake that makes programs of what it is told."""

    def setUp(self):
        super().setUp()
        self.program("fake/cmake", "mkdir -p build/release/bin; for p in ota-server otactl sim-emulator smsc-sim vendor-make; do"
                     ' echo "$p" > build/release/bin/$p; done')
        self.write("source", "1")
        self.write(".gitignore", "build\nfake\n")
        self.commit()
        subprocess.run(["cmake"], check=True, env=self.path)

    def equal(self):
        return subprocess.run([os.path.join(TOOLS, "equal")], capture_output=True, text=True, check=False, env=self.path)

    def test_equal_programs_are_told_with_their_hashes(self):
        said = self.equal()
        self.assertEqual(said.returncode, 0, said)
        self.assertEqual(len(re.findall(r"^[0-9a-f]{64}  build/release/bin/", said.stdout, re.M)), 5)

    def test_one_that_differs_fails(self):
        self.write("build/release/bin/otactl", "other\n")
        said = self.equal()
        self.assertEqual(said.returncode, 1)
        self.assertIn("otactl", said.stdout)

    def test_a_changed_tree_is_refused(self):
        self.write("source", "2")
        self.assertEqual(self.equal().returncode, 2)


unittest.main()
