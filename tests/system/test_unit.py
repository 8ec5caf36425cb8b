#!/usr/bin/env python3
"""The unit of systemd in docs/OPERATIONS.md, as systemd itself judges it. usage: test_unit.py FOLDER-OF-PROGRAMS"""
import os, re, shutil, subprocess, sys, tempfile, unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
del sys.argv[1]
MOST = 1.5


def exposure(text):
    with tempfile.TemporaryDirectory() as folder:
        unit = os.path.join(folder, "ota-server.service")
        with open(unit, "w") as file:
            file.write(text)
        said = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", unit], capture_output=True, text=True)
    return float(re.search(r"Overall exposure level for \S+: ([0-9.]+)", said.stdout).group(1))


@unittest.skipUnless(shutil.which("systemd-analyze"), "there is no systemd")
class Unit(unittest.TestCase):
    def test_the_service_is_confined(self):
        with open(os.path.join(ROOT, "docs/OPERATIONS.md")) as file:
            unit = re.search(r"^```ini\n(.*?)^```$", file.read(), re.M | re.S).group(1)
        self.assertLessEqual(exposure(unit), MOST)
        self.assertGreater(exposure("[Service]\nUser=otaria\nExecStart=/usr/local/bin/ota-server\n"), 8)  # it does judge


unittest.main()
