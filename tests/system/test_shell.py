#!/usr/bin/env python3
"""sim-emulator shell by scripts: what it tells, what it refuses, and its exit codes.
usage: test_shell.py FOLDER-OF-PROGRAMS"""
import json, os, random, subprocess, sys, tempfile, unittest

PROGRAM = os.path.join(sys.argv.pop(1), "sim-emulator")


def shell(*arguments, text=""):
    done = subprocess.run([PROGRAM, "shell", "--count", "2", *arguments], input=text, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


class Shell(unittest.TestCase):
    def test_a_card_by_hand(self):
        code, text, error = shell("--cmd", "reset; apdu 00A40004 02 2FE2 = 9000; apdu 00B000000A = 9000; exit 5")
        self.assertEqual((code, error), (5, ""))
        self.assertIn("SELECT\n", text)
        self.assertIn("  < 980001010010000010F7 9000 done", text)  # 8900101 00001 000001 and its Luhn digit
        code, text, error = shell("--cmd", "reset; apdu 00A40004022FE3 = 9000; apdu 00")
        self.assertEqual((code, error), (7, "--cmd:2: 9000 was expected, the card says 6A82\n"))

    def test_a_day_in_a_moment(self):
        story = ("trace off; power on; time 10s; journal\ncoverage home none\ntime 1d # a day without service\n"
                 "coverage home 00101; time 10m; registry; power off")
        code, text, error = shell(text=story)
        self.assertEqual((code, error), (0, ""))
        self.assertIn("card 1: attached 00101", text)
        self.assertIn("pending FIRST_CONTACT, sequence 1", text)
        self.assertGreater(text.count("card 1: refreshed"), 4)  # it looked for service with the other one, and back
        registry = json.loads(next(line for line in text.splitlines() if line.startswith("{")))
        self.assertEqual(registry["slots"][0]["state"], "ENABLED")
        self.assertEqual(shell(text=story)[1], text)

    def test_a_packet_and_a_power_cut(self):
        audit = "ota 80e2910513 8a08a0a1a2a3a4a5a6a7 8c0101 8d0400000007"
        code, text, error = shell("--cmd", f"power on; time 10; trace on; {audit}")
        self.assertEqual((code, error), (0, ""))
        self.assertIn("AUDIT operation 0: OK, REGV 1", text)
        self.assertIn("operation 7 never seen", text)
        code, text, error = shell("--cmd", f"reset; tear 3; {audit}; journal")
        self.assertEqual((code, error), (6, "--cmd:3: the card has no power (reset, or power on)\n"))
        # A script goes on when it foretells the cut, and sees what was before it.
        select = "reset; apdu 00A4040C07A0000000871002; apdu 00A4000C026F7B"
        cut = f"{select}; apdu 00B000000C; tear 5; apdu 00D600000C 010203040506070809101112"
        code, text, error = shell("--cmd", f"{cut} = mute; {select}; apdu 00B000000C = 9000")
        self.assertEqual((code, error, text.count("  < " + 12 * "FF" + " 9000")), (0, "", 2))
        self.assertEqual(shell("--cmd", f"{cut} = 9000")[::2], (7, "--cmd:6: 9000 was expected, the card says mute\n"))
        code, _, error = shell("--cmd", "reset; apdu 00A4000C023F00 = mute")
        self.assertEqual((code, error), (7, "--cmd:2: mute was expected, the card says 9000\n"))
        code, text, error = shell("--cmd", "reset; tear 3; trace on; exit")
        self.assertEqual((code, error), (0, ""))

    def test_the_card_asks_what_a_tester_gives_it(self):
        code, text, error = shell("--cmd", "power on; time 10; trace on; give D009 8103012603 82028182; time 1m")
        self.assertEqual((code, error), (0, ""))
        self.assertIn("PROVIDE LOCAL INFORMATION number 1, qualifier 03", text)
        self.assertRegex(text, "PROVIDE LOCAL INFORMATION number 1, qualifier 03, result 00")
        for command, words in (("give D0", "no proactive command"), ("give xx", "from D0 on"), ("give", "usage: give"),
                               ("give D009810301020082028182; give D009810301020082028182", "another command waits")):
            code, _, error = shell("--cmd", command)
            self.assertEqual((code, words in error), (2, True), (command, error))

    def test_a_card_product(self):
        with tempfile.NamedTemporaryFile("w", suffix=".card") as file:
            file.write("otaria-card 1\npin ADM1 13572468 tries 5\n")
            file.flush()
            code, text, error = shell("--product", file.name, "--cmd", "reset; apdu 0020000A00 = 63C5; "
                                      "apdu 0020000A083133353732343638 = 9000; exit 4")
            self.assertEqual((code, error), (4, ""))
            file.write("pin PIN1 12x4\n")
            file.flush()
            code, _, error = shell("--product", file.name, "--cmd", "reset")
            self.assertNotEqual(code, 0)
            self.assertIn(f"{file.name}:3:10: PINs have 4 to 8 digits", error)
        sample = os.path.join(os.path.dirname(__file__), "../../profiles/cards/test-operators.card")
        self.assertEqual(shell("--product", sample, "--cmd", "reset; exit 3")[0], 3)

    def test_a_second_card_and_files(self):
        with tempfile.NamedTemporaryFile("w", suffix=".sim") as file:
            file.write("cards\nuse 2\nreset\n\nimei 123\n")
            file.flush()
            code, text, error = shell(file.name)
        self.assertEqual((code, error), (2, f"{file.name}:5:1: 15 digits, or none\n"))
        self.assertIn("* 1 8900101000010000017\n  2 8900101000010000025", text)
        self.assertEqual(shell("/nowhere.sim")[0], 3)

    def test_wrong_words_say_what_is_right(self):
        for command, code, words in (("fly", 2, "help"), ("apdu 0", 2, "hexadecimal"), ("apdu 00 = 90", 2, "4 digits"),
                                     ("power up", 2, "on or off"), ("time soon", 2, "10m"), ("time 1 2", 2, "usage: time"),
                                     ("use 3", 3, "no card"), ("move moon", 3, "no such area"), ("tear 0", 2, "from 1"),
                                     ("coverage home 99999", 3, "no such network"), ("help fly", 3, "no such command"),
                                     ("apdu 00A40004", 6, "no power"), ("journal", 6, "never started"), ("exit x", 2, "0 to 255"),
                                     ("power on; time 5; reset", 2, "power off first")):
            found, _, error = shell("--cmd", command)
            self.assertEqual((found, words in error), (code, True), (command, error))
        for line in shell("--cmd", "help")[1].splitlines():
            self.assertRegex(line, "^[a-z]+ +.*[a-z]")

    def test_any_text_is_taken_or_refused(self):
        chance = random.Random(3)
        verbs = [line.split()[0] for line in shell("--cmd", "help")[1].splitlines() if not line.startswith("exit")]
        for _ in range(20):
            words = [chance.choice(verbs + ["00A4", "=", ";", "home", "\x7f", "10m", "none", "%s%n", "80C20000FF"]) for _ in range(40)]
            self.assertIn(shell(text=" ".join(words))[0], (0, 2, 3, 6, 7))


if __name__ == "__main__":
    unittest.main()
