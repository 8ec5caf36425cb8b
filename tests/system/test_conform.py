#!/usr/bin/env python3
"""The conformance suite against cards that are somewhere else: behind TCP both ways and in a PC/SC reader; its reports, and
what two of them have different.
usage: test_conform.py FOLDER-OF-PROGRAMS"""
import os, re, subprocess, sys, unittest, xml.etree.ElementTree as xml

from card_lab import KEYS, Lab, ROOT, cbc
from pcsc import Pcscd
from system import until

PROGRAMS = Lab.PROGRAMS = sys.argv.pop(1)


class Suite(Lab):
    def conform(self, *arguments, environment=None):
        done = subprocess.run([os.path.join(PROGRAMS, "sim-emulator"), "conform", *self.arguments, *arguments],
                              capture_output=True, text=True, env=environment, timeout=60)
        return done.returncode, done.stdout, done.stderr

    def report(self, name):
        return {case.get("name"): case for case in xml.parse(name).getroot()}

    def test_a_card_behind_tcp_and_its_reports(self):
        program = self.reader("--listen", "127.0.0.1:0")
        old, new, page = (os.path.join(self.folder, name) for name in ("old.xml", "new.xml", "page.html"))
        code, text, _ = self.conform("--tcp", program.ready["listen"], "--junit", old, "--html", page)
        self.assertEqual(code, 0, text)
        cases = self.report(old)
        self.assertGreaterEqual(len(cases), 50)
        root = xml.parse(old).getroot()
        self.assertEqual((root.get("tests"), root.get("failures")), (str(len(cases)), "0"))
        listed = self.conform("--list")[1]
        self.assertEqual({line.split()[0] for line in listed.splitlines()}, set(cases))
        with open(page) as file:
            self.assertEqual(file.read().count('<tr class="passed">'), len(cases))
        # A talkative card answers where it must be silent: the same suite, other verdicts.
        code, text, _ = self.conform("--talkative", "--junit", new, "--compare", old)
        self.assertEqual(code, 7, text)
        failed = [name for name, case in self.report(new).items() if case.find("failure") is not None]
        self.assertEqual(failed, ["packet.wrong-mac", "packet.weak-level", "packet.cut", "packet.key-sets",
                                  "packet.algorithms"])
        self.assertIn("new failure: packet.wrong-mac", text)
        code, text, _ = self.conform("--compare", new, "--case", "packet.")
        self.assertEqual(code, 0, text)
        self.assertIn("fixed: packet.wrong-mac", text)
        self.assertIn("missing case: enable.confirmed", text)

    def test_a_card_that_only_a_file_of_keys_describes(self):
        program = self.reader("--listen", "127.0.0.1:0")
        path = os.path.join(self.folder, "card.keys")
        card = self.cards[0]
        kik = cbc(KEYS.split()[5], bytes.fromhex(card.fields["KIK1"]), decrypt=True).hex()

        def run(text, *arguments, mode=0o600):
            with open(path, "w") as file:
                file.write(text)
            os.chmod(path, mode)
            done = subprocess.run([os.path.join(PROGRAMS, "sim-emulator"), "conform", "--card-keys", path, *arguments],
                                  capture_output=True, text=True, timeout=60)
            return done.returncode, done.stdout + done.stderr

        right = f'kic = "{card.kic}"\nkid = "{card.kid}"\nkik = "{kik}"\nkey-set = 1\ntar = "534D01"\n'
        at = ("--tcp", program.ready["listen"])
        code, text = run(right, *at, "--case", "packet.", "--case", "download.")
        self.assertEqual(code, 0, text)
        code, text = run(right.replace(kik, card.kic), *at, "--case", "packet.card-reference")
        self.assertEqual(code, 7, text)
        for wrong, expected in ((right.replace("kic", "kix"), "kix"), (right.replace(card.kid, "00"), "kid"),
                                (right.replace("key-set = 1", "key-set = 16"), "key-set"), (right.replace("534D01", "534D"), "tar"),
                                (right + 'server-number = "x"', "server-number"), ("", "kic")):
            code, text = run(wrong, *at)
            self.assertEqual((code, expected in text, card.kic in text), (2, True, False), text)
        code, text = run(right, *at, mode=0o644)
        self.assertEqual((code, "chmod 600" in text), (2, True), text)
        self.assertEqual(run(right)[0], 2)  # where is the card?
        self.assertEqual(run(right, *at, "--count", "1")[0], 2)

    def test_a_card_that_connects(self):
        suite = subprocess.Popen([os.path.join(PROGRAMS, "sim-emulator"), "conform", *self.arguments, "--listen", "127.0.0.1:0",
                                  "--case", "packet."], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        address = re.search(r"at (\S+)", suite.stderr.readline()).group(1)
        self.reader("--vpcd", address)
        text, _ = suite.communicate(timeout=60)
        self.assertEqual(suite.returncode, 0, text)

    def test_a_card_in_a_pcsc_reader(self):
        program = self.reader("--listen", "127.0.0.1:0")
        host, port = program.ready["listen"].rsplit(":", 1)
        self.pcscd = Pcscd(self.folder, host, int(port))
        environment = self.pcscd.environment()
        until("pcscd has the card", 20, lambda: subprocess.run(["opensc-tool", "--atr"], env=environment,
                                                              capture_output=True).returncode == 0, 0.05)
        code, text, error = self.conform("--pcsc", "Test 00 00", environment=environment)
        self.assertEqual(code, 0, text + error)
        code, _, error = self.conform("--pcsc", "Another", environment=environment)
        self.assertEqual((code, "Another" in error), (3, True), error)

    def test_wrong_use_says_what_is_wrong(self):
        for arguments, code, expected in ((["--tcp", "127.0.0.1:1"], 3, "127.0.0.1:1"), (["--case", "nothing"], 2, "--list"),
                                          (["--tcp", "a:1", "--pcsc", "b"], 2, "--pcsc"), (["more"], 2, "more"),
                                          (["--case", "form.", "--compare", "/nowhere"], 2, "/nowhere"),
                                          (["--case", "form.", "--compare", os.path.join(ROOT, "README.md")], 2, "README.md"),
                                          (["--case", "form.", "--junit", "/nowhere/x"], 1, "--junit")):
            found, _, error = self.conform(*arguments)
            self.assertEqual((found, expected in error), (code, True), (arguments, error))


if __name__ == "__main__":
    unittest.main()
