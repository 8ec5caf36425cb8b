#!/usr/bin/env python3
"""The server and a fleet behind an SMSC whose PDUs nobody here reads or writes: Debian's Net::SMPP, with habits of real
SMSCs. usage: test_strange_smsc.py FOLDER-OF-PROGRAMS"""
import os, subprocess, sys, unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lab  # noqa: E402
from lab import until  # noqa: E402


class Smsc:
    """Looks like one of our programs to the lab."""

    def __init__(self, folder):
        self.log = open(os.path.join(folder, "smsc.log"), "ab")
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "strange_smsc.pl")
        self.process = subprocess.Popen(["perl", script], stdout=subprocess.PIPE, stderr=self.log)
        self.ready = {"smpp": "127.0.0.1:" + self.process.stdout.readline().decode().strip()}

    def stop(self):
        self.process.terminate()
        self.process.wait(15)
        return self.process.returncode


class ThroughAStranger(lab.Working):
    CARDS = 5

    @classmethod
    def smsc(cls):
        cls.running.append(Smsc(cls.folder))
        return cls.running[-1].ready["smpp"]

    def slot(self, number, state):
        slots = self.api.get(f"/cards/{self.cards[number]}/subscriptions")["serverView"]["slots"]
        return next(slot["subscriptionId"] for slot in slots if slot["state"] == state)

    def test_every_kind_of_operation_ends_as_done(self):
        new = self.slot(0, "DISABLED")
        for operation in (self.order(0, "enable", subscriptionId=new), self.order(1),
                          self.order(2, "delete", subscriptionId=self.slot(2, "DISABLED")),
                          self.order(3, "set-timers", parameters={"JITTER_MAX": 0})):
            self.done(operation)
        self.done(self.order(0, "set-fallback", subscriptionId=new))
        for number in range(self.CARDS):
            self.done(self.order(number))  # an answer in parts
            self.assertTrue(self.api.get(f"/cards/{self.cards[number]}/subscriptions")["inSync"])

    def test_its_receipts_are_understood(self):
        for number in range(self.CARDS):
            self.done(self.order(number))
        until("the receipts", 20, lambda: self.metric("receipts_total") == self.metric("parts_sent_total"), 0.05)
        self.assertEqual(self.metric("receipts_unknown_total"), 0)
        self.assertEqual(self.metric("messages_no_packet_total"), 0)
        self.assertEqual(self.metric("messages_stray_total"), 0)


if __name__ == "__main__":
    unittest.main()
