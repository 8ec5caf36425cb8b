#!/usr/bin/env python3
"""Events of ota-server as a program: the stream. usage: test_events.py FOLDER-OF-PROGRAMS"""
import http.client, json, os, urllib.parse, unittest

import served
from served import Api, tool, until  # noqa: F401

BASE = "/connectivity-management/v1"
CARDS = 4


class Stream:
    """GET /events: `events()` reads on."""

    def __init__(self, address, token, query="", last=None):
        self.connection = http.client.HTTPConnection(address, timeout=20)
        headers = {"Authorization": "Bearer " + token, "Accept": "text/event-stream"}
        if last is not None:
            headers["Last-Event-ID"] = str(last)
        self.connection.request("GET", BASE + "/events" + query, headers=headers)
        self.answer = self.connection.getresponse()

    def events(self, count):
        found, one = [], {}
        while len(found) < count:
            line = self.answer.readline().decode()
            if line == "":
                raise AssertionError("the stream ended")
            name, _, value = line.rstrip("\n").partition(": ")
            if line == "\n" and "event" in one:
                found.append((int(one["id"]), one["event"], json.loads(one["data"])))
            if line == "\n":
                one = {}
            elif name in ("id", "event", "data"):
                one[name] = value
        return found

    def close(self):
        self.connection.close()


class Served(served.Served):
    """With a few cards."""

    def setUp(self):
        super().setUp()
        path = self.at("cards.out")
        tool("vendor-make", "-n", str(CARDS), "-b", "EVT0001", "-o", path)
        self.ended(self.order(served.read(path)))
        self.cards = [card["id"] for card in self.api.get("/cards")["items"]]
        self.assertEqual(len(self.cards), CARDS)

    def connect(self):
        super().connect()
        connection = http.client.HTTPConnection(self.address, timeout=20)
        scopes = " ".join("connectivity-management:" + name for name in ("events:read", "cards:read", "alarms:read"))
        form = urllib.parse.urlencode({"grant_type": "client_credentials", "client_id": self.client[0],
                                       "client_secret": self.client[1], "scope": scopes})
        connection.request("POST", "/oauth2/token", form, {"Content-Type": "application/x-www-form-urlencoded"})
        self.token = json.loads(connection.getresponse().read())["access_token"]
        connection.close()

    def dirty(self, card):
        status, answer = self.api.ask("PUT", f"/cards/{card}/dirty", {"reason": "test"})
        self.assertEqual(status, 200, answer)

    def clean(self, card):
        status, answer = self.api.ask("DELETE", f"/cards/{card}/dirty", {"reason": "test"})
        self.assertEqual(status, 200, answer)


class Streams(Served):
    def test_what_happens_is_told_and_a_crash_loses_none_of_it(self):
        stream = Stream(self.address, self.token, "?topics=cards")
        self.assertEqual(stream.answer.status, 200)
        self.dirty(self.cards[0])
        (first, name, data), = stream.events(1)
        self.assertEqual((name, data["cardId"], data["card"]["marks"][0]["mark"]), ("dirty.added", self.cards[0], "DIRTY"))
        stream.close()
        self.dirty(self.cards[1])  # acknowledged, and told to nobody yet
        self.crash()
        stream = Stream(self.address, self.token, "?topics=cards", first)
        (second, name, data), = stream.events(1)
        self.assertEqual((name, data["cardId"]), ("dirty.added", self.cards[1]))
        self.assertGreater(second, first)
        self.clean(self.cards[0])
        (third, name, data), = stream.events(1)
        self.assertEqual((name, data["cardId"]), ("dirty.removed", self.cards[0]))
        self.assertGreater(third, second)
        stream.close()

    def test_a_stream_ends_with_its_token(self):
        stream = Stream(self.address, self.token)
        connection = http.client.HTTPConnection(self.address, timeout=20)
        form = urllib.parse.urlencode({"token": self.token, "client_id": self.client[0], "client_secret": self.client[1]})
        connection.request("POST", "/oauth2/revoke", form, {"Content-Type": "application/x-www-form-urlencoded"})
        self.assertEqual(connection.getresponse().status, 200)
        connection.close()
        rest = stream.answer.read()  # to its end, which comes
        self.assertTrue(rest.startswith(b": events\n\n"), rest)
        stream.close()

    def test_otactl_follows(self):
        self.dirty(self.cards[0])
        stream = Stream(self.address, self.token, "?topics=cards", 0)
        first = stream.events(1)[0][0]
        stream.close()
        self.clean(self.cards[0])
        environment = {"OTARIA_URL": "http://" + self.address, "OTARIA_APPKEY": self.client[0], "OTARIA_APPSECRET": self.client[1],
                       "PATH": os.environ["PATH"], "HOME": self.folder}
        shown = tool("otactl", "event", "follow", "--json", "--topics", "cards", "--after", str(first), "--count", "1", env=environment)
        event = json.loads(shown)
        self.assertEqual((event["event"], event["data"]["cardId"]), ("dirty.removed", self.cards[0]))


if __name__ == "__main__":
    unittest.main()
