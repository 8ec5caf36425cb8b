#!/usr/bin/env python3
"""What the system shows of a server that has keys. usage: test_process.py FOLDER-OF-PROGRAMS"""
import os, re, sys, unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from alone import PROGRAMS, Alone, Api, Program  # noqa: E402

NOBODY = 65534


def content(path):
    with open(path) as file:
        return file.read()


class Hidden(Alone):
    def start(self):
        """As a user without rights: what belongs to root then was taken from it."""
        rights = []
        if os.geteuid() == 0:
            for path, _, files in os.walk(self.folder):
                for name in [path] + [os.path.join(path, file) for file in files]:
                    os.chown(name, NOBODY, NOBODY)
            rights = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        self.program = Program("ota-server", [
            *rights, os.path.join(PROGRAMS, "ota-server"), "--data", self.data, "--listen", "127.0.0.1:0", "--single-person", "--smsc",
            "127.0.0.1:1", "--system-id", "server", "--password-file", self.password, "--config", self.config], self.folder)
        self.api = Api(self.program.ready["http"], [self.client])

    def test_its_memory_goes_into_no_core_and_to_nobody(self):
        folder = "/proc/%d/" % self.program.process.pid
        self.assertRegex(content(folder + "limits"), r"Max core file size +0 +0 ")
        # Of a process that is not to be dumped the system gives these to root, whoever runs it [proc(5)].
        self.assertEqual(os.stat(folder + "mem").st_uid, 0)

    def test_the_server_confines_itself_unless_told_otherwise(self):
        state = lambda: re.search(r"Seccomp:\s+(\d)", content("/proc/%d/status" % self.program.process.pid)).group(1)
        self.assertEqual(state(), "2")
        with open(self.config, "a") as file:
            file.write("confined = false\n")
        self.assertEqual(self.program.stop(), 0)
        self.program.process.stdout.close()
        self.program.start()
        self.assertEqual(state(), re.search(r"Seccomp:\s+(\d)", content("/proc/self/status")).group(1))

    def test_none_of_its_words_is_a_secret(self):
        folder = "/proc/%d/" % self.program.process.pid
        key = content(os.path.join(self.data, "master.key")).strip()
        self.assertEqual(len(key), 64)
        words = content(folder + "cmdline") + (content(folder + "environ") if os.geteuid() == 0 else "")
        for secret in (key, "secret1", self.client[1]):
            self.assertIsNone(re.search(re.escape(secret), words))


if __name__ == "__main__":
    unittest.main()
