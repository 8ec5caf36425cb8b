#!/usr/bin/env python3
"""The figures of a run, and the page that is made from them, in a tree of their own."""
import json
import os
import subprocess
import sys
import tempfile

TOOLS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools")


def tool(name, *arguments):
    return subprocess.run([sys.executable, os.path.join(TOOLS, name), *arguments], capture_output=True,
                          text=True, check=False)


def git(*arguments):
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *arguments], check=True,
                   stdout=subprocess.DEVNULL)


def write(path, text):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def test_collecting():
    write("build/check/one.log", 'noise\nfigure {"name": "power.cuts", "value": 12}\n')
    write("build/check/dev-tests.log", "")
    write("build/dev/Testing/Temporary/LastTest.log", 'figure {"name": "sim.card_days", "value": 7, "seeds": "1-3"}\n'
          'figure {"name": "sim.card_days", "value": 1, "seeds": "4-5,9"}\n')
    write("build/check/worlds.log", 'figure {"name": "sim.probes", "value": 5, "of": 9}\n'
          'figure {"name": "sim.never_met", "value": 1, "what": "a"}\n')
    write("build/check/two.log", 'figure {"name": "sim.probes", "value": 4, "of": 9}\n' * 2)
    # Of a build that this run did not test.
    write("build/asan/Testing/Temporary/LastTest.log", 'figure {"name": "sim.card_days", "value": 9}\n')
    head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    part = {"part": "dev", "commit": head, "is_changed": False, "time": "2026-01-02T03:04:05Z", "seconds": 9,
            "passed": 19, "failed": 2}
    # A part that ran twice counts as it was the second time.
    write("build/check/parts.jsonl", json.dumps(part) + "\n" + json.dumps({**part, "passed": 20, "failed": 1}) + "\n")
    said = tool("figures")
    assert said.returncode == 0, said.stderr
    lines = [json.loads(line) for line in said.stdout.splitlines()]
    assert [(p["passed"], p["failed"]) for p in lines if "part" in p] == [(20, 1)]
    assert {(f["name"], f["value"], f["source"]) for f in lines if "name" in f} == {
        ("sim.probes", 5, "worlds"), ("sim.never_met", 1, "worlds"), ("sim.probes", 4, "two"),
        ("power.cuts", 12, "one"), ("sim.card_days", 7, "dev-tests"), ("sim.card_days", 1, "dev-tests")}
    assert "cores" in lines[0]["machine"]
    return said.stdout


def test_what_is_no_figure_is_refused():
    for wrong in ('{"value": 1}', '{"name": "a.b"}', '{"name": "a.b", "value": "1"}', '{"name": "a", "value": 1}',
                  '{"name": "a.b", "value": 2, "of": 1}', '{"name": "a.b", "value": 1, "seeds": "some"}', '{"name": "a.b", "value": 1, "more": 2}', '{"name"'):
        write("build/check/wrong.log", f"figure {wrong}\n")
        said = tool("figures")
        assert said.returncode != 0 and "wrong.log:1" in said.stderr, wrong
    os.remove("build/check/wrong.log")


def test_the_page(figures):
    write("figures.jsonl", figures)
    page = tool("reliability", "figures.jsonl")
    assert page.returncode == 0, page.stderr
    assert "| power cuts tried | 12 |" in page.stdout
    assert "| rare situations met | 5 of 9 (55.5 %) |" in page.stdout  # not 8 of 18
    assert "| simulated card-days | 8 | seeds 1-5, 9 |" in page.stdout
    assert "Machine: " in page.stdout and "| dev | 20 | **1** | 9 |" in page.stdout
    shown, missing = page.stdout.split("## Not shown")
    assert "goals proved" in missing and "goals proved" not in shown
    assert "proofs (did not run)" in missing and "dev (did not run)" not in missing
    # What was tried by hand comes from the tree.
    part = {**json.loads(figures.splitlines()[1]), "part": "all mutants", "passed": 31, "failed": 1}
    killed = {"name": "mutation.all_killed", "value": 30, "of": 32, "what": "applet/one.c", "source": "all mutants"}
    write("tests/mutation-score.jsonl", json.dumps(part) + "\n" + json.dumps(killed) + "\n")
    page = tool("reliability", "figures.jsonl").stdout
    assert "| all mutants | 31 | **1** | 9 |" in page
    assert "| of all mutants of the applet: noticed | 30 of 32 (93.7 %) |" in page
    assert "| applet/one.c | 30/32 |" in page
    os.remove("tests/mutation-score.jsonl")


def test_no_page_of_another_run(figures):
    machine, part, rest = figures.split("\n", 2)
    for member, value in (("is_changed", True), ("commit", "0" * 40)):
        changed = json.dumps({**json.loads(part), member: value})
        write("figures.jsonl", f"{machine}\n{changed}\n{rest}")
        assert tool("reliability", "figures.jsonl").returncode != 0, member


with tempfile.TemporaryDirectory() as directory:
    os.chdir(directory)
    git("init", "-q")
    git("commit", "-q", "--allow-empty", "-m", "first")
    collected = test_collecting()
    test_what_is_no_figure_is_refused()
    test_the_page(collected)
    test_no_page_of_another_run(collected)
