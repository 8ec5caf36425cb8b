#!/usr/bin/env python3
"""A log that nobody takes: the server goes on, and tells how much of it was dropped. usage: test_log.py FOLDER-OF-PROGRAMS"""
import fcntl, os, unittest

from served import Served


class Logs(Served):
    def log_to(self, file):
        """The server, started anew with its log there; one that waited for the log would not get ready."""
        self.assertEqual(self.program.stop(), 0)
        self.program.process.stdout.close()
        self.program.log.close()
        self.program.log = file
        self.program.start()
        self.connect()

    def assert_serves(self):
        made = self.api.post("/subscription-pools", {"name": "pool", "operator": "Test", "templateId": 1})
        self.assertEqual([pool["id"] for pool in self.api.all("/subscription-pools")], [made["id"]])

    def test_a_pipe_that_is_full_holds_nobody_up(self):
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        size = fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
        self.assertEqual(os.write(writer, bytes(size)), size)
        os.set_blocking(writer, True)  # a write would wait for ever
        self.log_to(os.fdopen(writer, "wb"))
        self.assert_serves()
        self.assertEqual(os.read(reader, size), bytes(size))
        self.assertEqual(self.program.stop(), 0)  # which it notes
        self.assertRegex(os.read(reader, size).decode(), r"log\.dropped lines=[1-9]")
        os.close(reader)

    def test_a_full_disk_does_not_end_it(self):
        self.log_to(open("/dev/full", "wb", buffering=0))
        self.assert_serves()

    def test_a_reader_that_is_gone_does_not_end_it(self):
        reader, writer = os.pipe()
        os.close(reader)
        self.log_to(os.fdopen(writer, "wb"))
        self.assert_serves()


if __name__ == "__main__":
    unittest.main()
