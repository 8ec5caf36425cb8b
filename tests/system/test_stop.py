#!/usr/bin/env python3
"""The server, told to stop amid requests, once and in a storm of signals. usage: test_stop.py FOLDER-OF-PROGRAMS"""
import http.client, itertools, json, signal, threading, time, unittest

from served import Api, Served, until

CALLERS = 4


class Stops(Served):
    def call(self, numbers, acknowledged):
        """Asks for one pool after another, until nobody answers; what was acknowledged goes into the log outside."""
        api = Api(self.address, [self.client])
        while True:
            name = "pool %d" % next(numbers)
            try:
                status, made = api.ask_once("POST", "/subscription-pools", {"name": name, "operator": "Test", "templateId": 1})
            except (OSError, http.client.HTTPException):
                return
            if status == 201:
                acknowledged.append(made["id"])
            elif status not in (429, 503):
                acknowledged.append((status, json.dumps(made)))
                return

    def stop_amid(self, signals):
        numbers, acknowledged = itertools.count(self.first), []
        callers = [threading.Thread(target=self.call, args=(numbers, acknowledged)) for _ in range(CALLERS)]
        for caller in callers:
            caller.start()
        until("some answers", 20, lambda: len(acknowledged) >= 8, 0.005)
        begun = time.monotonic()
        for one in signals:
            self.program.process.send_signal(one)
        self.assertEqual(self.program.process.wait(30), 0)
        self.assertLess(time.monotonic() - begun, 15)  # it waits for what is in work for 10 s at the most
        for caller in callers:
            caller.join()
        self.program.process.stdout.close()
        self.program.start()
        self.connect()
        there = {pool["id"] for pool in self.api.all("/subscription-pools")}
        self.assertEqual(set(acknowledged) - there, set())
        self.first = next(numbers)

    def test_what_was_acknowledged_is_there(self):
        self.first = 0
        self.stop_amid([signal.SIGTERM])
        self.stop_amid([signal.SIGTERM, signal.SIGINT] * 20)
        self.assertTrue(self.api.post("/audit-trail/verify", {})["ok"])


if __name__ == "__main__":
    unittest.main()
