#!/usr/bin/env python3
"""Two enterprises at one server: nothing that bears the name of one is in what otactl prints for the other, whatever it is asked,
nor in what the other's stream of events tells. usage: test_tenants.py FOLDER-OF-PROGRAMS"""
import datetime, os, subprocess, sys, threading, unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from alone import PROGRAMS, Alone, tool, until  # noqa: E402
from system import Api  # noqa: E402

CANARY = "canary-of-b"
SCOPES = ["cards:read", "cards:write", "cards:reveal", "operations:read", "operations:audit", "operations:download",
          "operations:enable", "operations:disable", "operations:delete", "operations:set-fallback", "operations:set-timers",
          "operations:read-timers", "groups:read", "permissions:read", "alarms:read", "approvals:read", "approvals:decide",
          "campaigns:read", "campaigns:write", "inventory:read", "templates:read", "imports:read", "audit-trail:read",
          "clients:read", "clients:write", "users:read", "users:write", "events:read", "events:write", "reports:read"]
MAY = ["card.read", "card.move", "card.audit", "subscription.enable"]
# What makes something of one's own from files, or waits for what is never said: it names nothing of B.
OWN = {"campaign create", "campaign change", "campaign wait", "event follow", "group set", "import run", "op wait", "profile put",
       "setup -", "user password", "upload add", "template estimate", "tariff set", "transport-key add", "group create", "pool create",
       "template create", "transport-key create", "session open", "session show", "session close",
       "enterprise create", "client create", "user create", "sink create", "report create", "card move-all", "doctor -"}


class Tenants(Alone):
    def setUp(self):
        super().setUp()
        self.load(4, "TEN0001")
        self.cards = [card["id"] for card in self.api.all("/cards")]
        self.a, self.b = self.enterprise("A"), self.enterprise(CANARY)

    def change(self, method, path, body, api=None):
        status, document = (api or self.api).ask(method, path, body)
        self.assertLess(status, 300, (path, document))
        return document

    def enterprise(self, name):
        """An enterprise with a client, and a group with one card."""
        made = {"ent": self.api.post("/enterprises", {"name": name, "kind": "ENTERPRISE", "region": "CN", "timeZone": "UTC"})["id"]}
        made["grp"] = self.api.post("/card-groups", {"name": name + " meters", "enterpriseId": made["ent"]})["id"]
        self.change("PUT", f"/permissions/{made['ent']}/{made['grp']}", {"operations": MAY, "reason": name})
        made["crd"] = self.cards.pop()
        self.change("PATCH", "/cards/" + made["crd"], {"groupId": made["grp"]})
        made["cli"] = self.api.post("/api-clients", {"name": name, "enterpriseId": made["ent"], "scopes": SCOPES,
                                                     "mechanisms": ["hmac"]})["id"]
        self.change("POST", f"/api-clients/{made['cli']}/approve", {})
        secret = self.api.post(f"/api-clients/{made['cli']}/secrets", {})
        made["client"] = secret["appKey"], secret["appSecret"]
        return made

    def fill_b(self):
        """Something of every kind, with the canary wherever a name can stand."""
        b = self.b
        api = Api(self.program.ready["http"], [b["client"]])
        self.change("PATCH", "/cards/" + b["crd"], {"note": CANARY, "labels": [CANARY], "applicationField": "OTHER"}, api)
        b["usr"] = api.post("/users", {"username": CANARY, "displayName": CANARY, "role": "ENTERPRISE_USER",
                                       "enterpriseId": b["ent"]})["id"]
        b["op"] = api.post(f"/cards/{b['crd']}/operations", {"type": "audit", "reason": CANARY})["id"]
        b["cmp"] = api.post("/campaigns", {"name": CANARY, "operation": {"type": "audit"}, "target": {"groupIds": [b["grp"]]},
                                           "rate": {"perSecond": 1}, "reason": CANARY})["id"]
        b["pol"] = self.api.post("/subscription-pools", {"name": CANARY, "operator": CANARY, "templateId": 1,
                                                         "enterpriseId": b["ent"]})["id"]
        b["snk"] = api.post("/event-sinks", {"sink": f"https://{CANARY}.example.com/",
                                             "types": ["ota.connectivity-management.v1.card-dirty"]})["id"]
        b["dlv"] = api.post(f"/event-sinks/{b['snk']}/test", {})["id"]
        b["mov"] = api.post("/cards/moves", {"target": {"cardIds": [b["crd"]]}, "groupId": b["grp"], "reason": CANARY})["id"]
        b["upl"] = api.post("/uploads", (b["crd"] + "\n").encode(), content_type="text/csv")["id"]
        b["sub"] = "sub_00000000000000000000000000"
        span = {"from": "2026-01-01T00:00:00Z", "to": "2026-12-31T00:00:00Z"}
        b["rpt"] = self.api.post("/reports", {"type": "INVENTORY", "groupId": b["grp"], "province": CANARY, **span})["id"]

    def words(self, verb):
        """What B's things are called where this verb wants something, and what else it needs."""
        b, noun = self.b, verb.split()[0]
        month = datetime.datetime.now(datetime.timezone.utc).strftime("month=%Y-%m")
        nobody = {prefix: prefix + "_" + "0" * 26 for prefix in ("apr", "alm", "job", "sub", "tpl", "rec")}
        if verb.endswith((" list", " summary")) and noun not in ("sub", "bootstrap"):
            return []
        ids = {"card": b["crd"], "bootstrap": nobody["job"], "campaign": b["cmp"], "upload": b["upl"], "sink": b["snk"],
               "delivery": b["dlv"], "alarm": nobody["alm"], "approval": nobody["apr"], "group": b["grp"], "sub": b["crd"],
               "config": b["crd"], "op": b["op"], "dirty": b["crd"], "import": self.imported, "pool": b["pol"],
               "subscription": nobody["sub"], "enterprise": b["ent"], "user": b["usr"], "client": b["cli"], "report": b["rpt"], "template": nobody["tpl"], "profile": nobody["rec"], "transport-key": nobody["rec"]}
        words = {"card move-show": [b["mov"]], "card search": ["899990", "--match", "prefix"], "bootstrap list": [b["grp"]],
                 "bootstrap start": [b["crd"]], "subscription search": ["--imsi", "999700000000001"], "permission set": [b["ent"], b["grp"], "card.read"],
                 "permission delete": [b["ent"], b["grp"]], "permission show": [b["ent"], b["grp"]],
                 "permission effective": ["enterpriseId=" + b["ent"]], "trail checkpoints": [],
                 "subscription create": ["poolId=" + b["pol"], "imsi=001010000000009"], "trail show": [str(self.row)], "trail verify": [], "kpi show": [],
                 "system show": [], "export cards": [], "export operations": [], "export trail": []}
        words.update({f"metering {what}": [month, "enterpriseId=" + b["ent"]] for what in ("calls", "cards", "records")})
        more = {"campaign rate": ["2"], "card move": ["--group", self.a["grp"]], "bootstrap start": ["--group", b["grp"]],
                "sub download": ["--pool", b["pol"]], "config set": ["POLL_PERIOD=30"], "sink set": ["status=OK"],
                "dirty resolve": ["--decision", "accept-card"], "report write": ["6=x"], "user set": ["displayName=x"],
                "card set": ["note=x"], "card reveal": ["--fields", "iccid"], "group change": ["name=x"], "pool set": ["name=x"],
                "subscription set": ["msisdn=9990000000001"], "template renew": [self.write("json", "{}")], "client drop-secret": ["1"],
                "transport-key enter": [self.write("half", "00" * 16 + "\n"), "3544E0"],
                "user enrol-factor": [self.write("half", "00" * 16 + "\n")], "user prove-factor": [self.write("code", "123456\n")],
                "enterprise set": ["name=x"], "client set": ["name=x"], "import correct": [self.write("records", "x\n")]}
        more.update({f"approval {what}": ["--hash", "00" * 32] for what in ("approve", "reject")})
        more.update({f"sub {what}": ["--sub-imsi", "999700000000001"] for what in ("enable", "disable", "delete", "set-fallback")})
        reason = ["--reason", "a look around"] if " --reason" in self.verbs[verb] else []
        return words.get(verb, [ids.get(noun)]) + more.get(verb, []) + reason

    def run_as(self, who, *words):
        access = {"OTARIA_URL": "http://" + self.program.ready["http"], "OTARIA_APPKEY": who[0], "OTARIA_APPSECRET": who[1]}
        return tool("otactl", *words, env=access)

    def test_no_command_of_a_prints_what_is_bs(self):
        self.fill_b()
        self.row = next(row["sequence"] for row in self.api.all("/audit-trail", "action=user.created"))
        self.verbs = {" ".join(line.split()[:2]): line for line in self.well("otactl", "--words").splitlines()}
        self.assertLessEqual(OWN, set(self.verbs))
        codes = {}
        for verb in set(self.verbs) - OWN:
            words = self.words(verb)
            for form in ([], ["--json"]):
                done = self.run_as(self.a["client"], *verb.split(), *words, *form)
                text = done.stdout + done.stderr
                self.assertNotIn(CANARY, text, verb)
                for kind in ("ent", "grp", "crd"):
                    self.assertTrue(self.b[kind] not in text or any(self.b[kind] in word for word in words), (verb, text))
                self.assertIn(done.returncode, (0, 3, 4), (verb, words, text))
                codes[verb] = done.returncode
        # Whatever names something of B is refused.
        good = {verb for verb, code in codes.items() if code == 0}
        self.assertLessEqual(good, {v for v in codes if v.endswith(" list")} | {
            "card search", "subscription search", "dirty summary", "kpi show", "permission effective", "trail checkpoints", "export cards", "export operations", "export trail"})
        self.assertGreater(len(good), 15)
        self.assertIn(CANARY, self.run_as(self.b["client"], "card", "show", self.b["crd"]).stdout)
        self.assertIn(CANARY, self.run_as(self.b["client"], "campaign", "list").stdout)

    def test_a_enables_what_is_on_its_card_by_its_digits(self):
        """The operator imported the card: its subscriptions are no stock of A's."""
        card = self.a["crd"]
        slots = self.api.get(f"/cards/{card}/subscriptions")["serverView"]["slots"]
        wanted = next(slot["subscriptionId"] for slot in slots if slot["state"] == "DISABLED")
        imsis = self.api.post(f"/cards/{card}/reveal", {"fields": ["imsi"], "reason": "a test"}, key="")["imsi"]
        imsi = imsis[[slot["subscriptionId"] for slot in slots].index(wanted)]
        words = ("sub", "enable", card, "--sub-imsi", imsi, "--json")
        self.assertEqual(self.run_as(self.b["client"], *words).returncode, 3)
        done = self.run_as(self.a["client"], *words)
        self.assertEqual(done.returncode, 0, done.stderr)
        asked = self.api.all("/operations", "cardId=" + card)
        self.assertEqual([(o["type"], o["subscriptionId"]) for o in asked], [("enable", wanted)])

    def test_the_stream_of_a_tells_nothing_of_b(self):
        access = {"OTARIA_URL": "http://" + self.program.ready["http"], "OTARIA_APPKEY": self.a["client"][0],
                  "OTARIA_APPSECRET": self.a["client"][1]}
        heard = subprocess.Popen([os.path.join(PROGRAMS, "otactl"), "event", "follow", "--json", "--after", "0"], text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **access})
        lines, a_card = [], self.a["crd"]
        reader = threading.Thread(target=lambda: lines.extend(iter(heard.stdout.readline, "")))
        reader.start()
        try:
            self.fill_b()
            for card in (self.b["crd"], a_card):
                self.change("PUT", f"/cards/{card}/dirty", {"reason": CANARY if card != a_card else "own"})
            until("A is told of its own card", 20, lambda: any(a_card in line and "dirty.added" in line for line in lines), 0.05)
        finally:
            heard.terminate()
            reader.join()
            heard.stdout.close()
            heard.stderr.close()
            heard.wait()
        for line in lines:
            self.assertNotIn(CANARY, line)
            for kind in ("ent", "grp", "crd", "op", "cmp", "mov"):
                self.assertNotIn(self.b[kind], line)


if __name__ == "__main__":
    unittest.main()
