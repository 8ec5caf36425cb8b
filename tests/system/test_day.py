#!/usr/bin/env python3
"""An operator's day, from the token of the first start to the day's reports: people, an enterprise, a group with a bootstrap
rule, an import, cards that appear and are bootstrapped while the SMSC loses, doubles, delays, reorders and refuses messages, forgets
answers and receipts, and cuts links; a campaign that a second person approves, audits, figures, the trail. Once by the interface only, once by otactl only.
usage: test_day.py FOLDER-OF-PROGRAMS [ByApi|ByCli]"""
import collections, datetime, hashlib, http.client, json, os, shutil, subprocess, sys, tempfile, time, urllib.request

from fleet_lab import TRANSPORT, Lab, add_up, until
from esme import cbc
from system import Api, Control, Failed

PROGRAMS = os.path.abspath(sys.argv[1])
CARDS = int(os.environ.get("OTARIA_DAY_CARDS", "30"))
# Virtual seconds a second: a switch is rolled back after 300 of them, so many cards need a slower world.
SPEED = int(os.environ.get("OTARIA_DAY_SPEED", "100" if CARDS < 100 else "60"))
WAIT = 250 if CARDS < 100 else 1200  # at most, in seconds
# What a lost message costs: the operator of this group does not wait an hour for its receipt, as the defaults do.
PATIENCE = {"retry": {"backoffSeconds": [30, 60, 120, 300, 600], "smsValiditySeconds": 300, "receiptGraceSeconds": 30,
                      "porWaitSeconds": 60},
            "dirty": {"auditBackoffSeconds": [10, 120, 300, 600, 900, 1200, 1800, 2700]}}
PASSWORD = "correct horse battery"
GIVEN = "battery given horse"  # by somebody else: who has it approves nothing
MASK = 0x5A3C96E10F784B2D1133557799BBDDFF
# Each transport key in two halves, whose sum it is.
KEYS = {index: (("%032X" % (int(key, 16) ^ MASK), "%032X" % MASK), key) for index, key in TRANSPORT.items()}


# What becomes of messages to cards and from them: how many in a million, and how (ms, copies, a command_status).
FAULTS = {"lose": (20000, 0), "duplicate": (20000, 1), "delay": (20000, 200), "reorder": (20000, 200), "status": (20000, 88),
          "drop-receipt": (20000, 0), "drop-response": (2000, 0), "cut-link": (1000, 0)}


FIRST_OF_POOL = 9995000005001  # its number
# Of a large day's cards, so many are not heard from their new subscriptions, until an operator mends that.
SILENT = 3


# What the trail must tell of a day.
STEPS = ["installation.set-up", "enterprise.created", "user.created", "group.created", "group-rules.changed", "permission.changed", "pool.created", "import.ended",
         "card-move.created", "card.moved", "card.bootstrap", "campaign.created", "operation.requested", "operation.ended",
         "report.created"]


class Person:
    """Somebody at a browser: a session, its cookie, and the token against forged requests."""

    def __init__(self, authority, username, password=PASSWORD):
        self.authority, self.cookie, self.token = authority, "", ""
        self.token = self.ask("POST", "/session", {"username": username, "password": password})["csrfToken"]

    def ask(self, method, path, body=None):
        link = http.client.HTTPConnection(self.authority, timeout=20)
        headers = {"Origin": "http://" + self.authority, "Content-Type": "application/json", "Cookie": self.cookie,
                   "X-CSRF-Token": self.token, "Idempotency-Key": os.urandom(8).hex()}
        if not self.cookie:
            headers = {"Content-Type": "application/json"}
        link.request(method, Api.BASE + path, None if body is None else json.dumps(body), headers)
        answer = link.getresponse()
        text = answer.read().decode()
        if not 200 <= answer.status < 300:
            raise Failed(f"{method} {path}: {answer.status} {text}")
        self.cookie = (answer.getheader("Set-Cookie") or self.cookie).split(";")[0]
        return json.loads(text) if text else None


class ByApi:
    """What an operator does, each a call of the interface."""
    NAME = "interface"
    STEPS = STEPS + ["client.approved"]

    def __init__(self, lab):
        self.lab = lab

    def first_person(self, token):
        body = {"token": token, "username": "anna", "password": PASSWORD,
                "enterprise": {"name": "Operator", "region": "CN", "timeZone": "Asia/Shanghai"}}
        link = http.client.HTTPConnection(self.lab.server.ready["http"], timeout=20)
        for wanted in (201, 401):  # the token serves once
            link.request("POST", Api.BASE + "/setup", json.dumps(body), {"Content-Type": "application/json"})
            answer = link.getresponse()
            assert answer.status == wanted, (answer.status, answer.read())
            answer.read()

    def people(self):
        """A second person for what needs two, and a program that works for the first one."""
        authority = self.lab.server.ready["http"]
        self.anna = anna = Person(authority, "anna")
        operator = anna.ask("GET", "/session")["user"]["enterpriseId"]
        ben = anna.ask("POST", "/users", {"username": "ben", "password": GIVEN, "role": "PLATFORM_ADMIN",
                                          "enterpriseId": operator})
        assert ben["role"] == "PLATFORM_ADMIN"
        self.ben = Person(authority, "ben", GIVEN)
        self.ben.ask("POST", f"/users/{ben['id']}/password", {"password": PASSWORD, "currentPassword": GIVEN})
        scopes = anna.ask("GET", "/session")["scopes"]
        client = anna.ask("POST", "/api-clients", {"name": "day", "enterpriseId": operator, "scopes": scopes,
                                                   "mechanisms": ["hmac"]})
        try:
            anna.ask("POST", f"/api-clients/{client['id']}/approve", {})
            raise AssertionError("who asked for a client approved it")
        except Failed as refused:
            assert " 403 " in str(refused), refused
        self.ben.ask("POST", f"/api-clients/{client['id']}/approve", {})
        secret = anna.ask("POST", f"/api-clients/{client['id']}/secrets", {})
        self.api = Api(authority, [(secret["appKey"], secret["appSecret"])])

    def enterprise(self, name):
        return self.api.post("/enterprises", {"name": name, "kind": "ENTERPRISE", "region": "CN", "timeZone": "Asia/Shanghai"})["id"]

    def user(self, name, enterprise):
        return self.api.post("/users", {"username": name, "role": "ENTERPRISE_USER", "enterpriseId": enterprise,
                                        "password": PASSWORD})["id"]

    def works(self, user, enterprise, group, cards):
        """The enterprise's person sees the cards of that group, and may not move one."""
        carla = Person(self.lab.server.ready["http"], "carla")
        assert carla.ask("GET", "/session")["user"]["id"] == user
        seen = carla.ask("GET", "/cards?perPage=1")
        assert seen["pagination"]["totalCount"] == cards and seen["items"][0]["groupId"] == group, seen
        card = seen["items"][0]["id"]
        try:
            carla.ask("PATCH", "/cards/" + card, {"groupId": group})
            raise AssertionError("carla moved a card")
        except Failed as refused:
            assert " 403 " in str(refused), refused

    def acts(self, card, subscription):
        """They audit a card of theirs, which they may, and disable nothing on it, which they may not."""
        carla = Person(self.lab.server.ready["http"], "carla")
        try:
            carla.ask("POST", f"/cards/{card}/operations", {"type": "disable", "subscriptionId": subscription})
            raise AssertionError("carla disabled a subscription")
        except Failed as refused:
            assert " 403 " in str(refused) and "subscription.disable" in str(refused), refused
        outcome = "expired"
        while outcome == "expired":
            order = carla.ask("POST", f"/cards/{card}/operations", {"type": "audit"})["id"]
            outcome = until("carla's audit", WAIT, lambda: (lambda o: o if o["status"] == "ENDED" else None)(
                carla.ask("GET", "/operations/" + order)), 0.05)["outcome"]
        assert outcome == "done", outcome

    def group(self, name):
        return self.api.post("/card-groups", {"name": name})["id"]

    def rules(self, group, rules):
        self.change("PATCH", f"/card-groups/{group}/rules", {**rules, "reason": "roll-out"})

    def permit(self, enterprise, group, operations):
        self.change("PUT", f"/permissions/{enterprise}/{group}", {"operations": operations, "reason": "contract 88"})

    def change(self, method, path, body):
        status, document = self.api.ask(method, path, body)
        assert status in (200, 202), (path, status, document)
        return document

    def vendor(self, profile):
        with open(profile, "rb") as file:
            self.api.post("/vendor-profiles", file.read())
        for index, (halves, _) in KEYS.items():
            made = self.api.post("/transport-keys", {"index": index, "algorithm": "AES128-CBC"})["id"]
            for person, half in zip((self.anna, self.ben), halves):
                kcv = cbc(half, bytes([1] * 16)).hex()[:6]
                person.ask("POST", f"/transport-keys/{made}/components", {"component": half, "kcv": kcv})

    def pool(self, name):
        return self.api.post("/subscription-pools", {"name": name, "operator": "TEST-001-01", "templateId": 1})["id"]

    def load(self, path, pool=None):
        query = "vendorProfile=alder" + (f"&kind=SUBSCRIPTIONS&poolId={pool}" if pool else "")
        with open(path, "rb") as file:
            job = self.api.post("/batch-imports", file.read(), content_type="text/plain", query=query)
        ended = until("the import", 60, lambda: (lambda j: j if j["status"] == "ENDED" else None)(
            self.api.get("/batch-imports/" + job["id"])), 0.05)
        assert ended["outcome"] == "IMPORTED", ended
        return ended["loaded"]

    def cards(self, query=""):
        return self.api.all("/cards", query)

    def ended(self, path):
        """A job that was ordered, at its end."""
        return until("the end of " + path, 60, lambda: (lambda j: j if j["status"] != "RUNNING" else None)(self.api.get(path)), 0.05)

    def move(self, cards, group):
        job = self.api.post("/cards/moves", {"target": {"cardIds": [card["id"] for card in cards]}, "groupId": group,
                                             "reason": "delivered"})
        return self.ended("/cards/moves/" + job["id"])

    def count(self, path, query):
        return self.api.get(path, query + "perPage=1")["pagination"]["totalCount"]

    def waiting(self):
        return self.count("/cards", "state=IMPORTED&")

    def in_doubt(self):
        return self.count("/dirty-cards", "")

    def bootstraps(self, group, state):
        return self.count(f"/card-groups/{group}/bootstrap-jobs", f"state={state}&")

    def stopped(self, group):
        path = f"/card-groups/{group}/bootstrap-jobs"
        return [job for state in ("FAILED", "PARTIAL") for job in self.api.all(path, "state=" + state)]

    def operation(self, operation):
        return self.api.get("/operations/" + operation)

    def resume(self, job, reason):
        self.change("POST", f"/bootstrap-jobs/{job}/resume", {"reason": reason})

    def campaign(self, document):
        campaign = self.api.post("/campaigns", document)["id"]
        checked = self.change("POST", f"/campaigns/{campaign}/check", None)
        started = self.change("POST", f"/campaigns/{campaign}/start", None)
        return campaign, checked, started

    def approve(self):
        self.ben = Person(self.lab.server.ready["http"], "ben")  # the day is long, a session of 30 idle minutes is not
        for approval in self.api.all("/approvals", "state=OPEN"):
            self.ben.ask("POST", f"/approvals/{approval['id']}/approve", {"requestHash": approval["requestHash"]})

    def show_campaign(self, campaign):
        return self.api.get("/campaigns/" + campaign)

    def audit(self, cards):
        """Asked again where the answer was lost."""
        while cards:
            orders = {card["id"]: self.api.post(f"/cards/{card['id']}/operations", {"type": "audit"})["id"] for card in cards}
            ended = {card: until("an audit", WAIT, lambda o=order: (lambda o: o if o["status"] == "ENDED" else None)(
                self.api.get("/operations/" + o)), 0.05) for card, order in orders.items()}
            assert {o["outcome"] for o in ended.values()} <= {"done", "expired"}, ended
            cards = [card for card in cards if ended[card["id"]]["outcome"] == "expired"]

    def on_cards(self, pool):
        return self.api.get("/subscription-pools/" + pool)["counts"]["ON_CARD"]

    def slots(self, card):
        return self.api.get(f"/cards/{card['id']}/subscriptions")["serverView"]["slots"]

    def kpis(self):
        return self.api.get("/kpis", "window=24h")

    def report(self, **order):
        ordered = self.api.post("/reports", order)
        assert self.ended("/reports/" + ordered["id"])["status"] == "ENDED"
        return ordered["id"]

    def content(self, report):
        """As it came."""
        path = f"{Api.BASE}/reports/{report}/content"
        request = urllib.request.Request(f"http://{self.lab.server.ready['http']}{path}", headers={"Accept": "application/json"})
        request.add_header("Authorization", self.api.sign("GET", path, "", "", "", b""))
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.read()

    def sign(self, report, text):
        self.change("PATCH", "/reports/" + report, {"texts": {"6": text}})
        return self.change("POST", f"/reports/{report}/sign-off", {})["signedOff"]

    def metering(self, path, month):
        return self.api.all("/metering/" + path, "month=" + month)

    def trail_is_whole(self):
        return self.api.post("/audit-trail/verify", {})["ok"]

    def trail(self, action):
        return self.api.all("/audit-trail", f"action={action}&sort=sequence")


class ByCli:
    """The same, each a command of otactl: two people with a session each, and a program that works for the first one."""
    NAME = "command line"
    STEPS = STEPS + ["client.approved"]

    def __init__(self, lab):
        self.lab = lab
        self.address = {"OTARIA_URL": "http://" + lab.server.ready["http"]}
        self.access = dict(self.address)

    def run(self, *words, stdin="", codes=(0,), access=None):
        ended = subprocess.run([os.path.join(PROGRAMS, "otactl"), *words], input=stdin, capture_output=True, text=True,
                               env={**os.environ, **(access or self.access)})
        assert ended.returncode in codes, (words, ended.returncode, ended.stdout[-500:], ended.stderr[-500:])
        return ended.stdout

    def json(self, *words, **more):
        return json.loads(self.run(*words, "--json", **more))

    def id(self, *words):
        return self.run(*words, "-q").split()[-1]

    def file(self, name, content):
        path = os.path.join(self.lab.folder, name)
        if os.path.exists(path):
            os.unlink(path)
        return self.lab.write(name, content if isinstance(content, str) else json.dumps(content))

    def first_person(self, token):
        words = ["setup", self.file("token", token + "\n"), self.file("password", PASSWORD + "\n"), "anna", "Operator", "CN",
                 "Asia/Shanghai"]
        self.run(*words)
        self.run(*words, codes=(4,))  # the token serves once

    def people(self):
        """A second person for what needs two, and a program that works for the first one."""
        self.run("card", "list", codes=(2,))  # nobody asks
        self.anna = self.log_in("anna")
        me = json.loads(self.run("session", "show", "--json", access=self.anna))
        operator = me["user"]["enterpriseId"]
        ben = self.run("user", "create", "username=ben", "role=PLATFORM_ADMIN", "enterpriseId=" + operator, "-q",
                       access=self.anna).split()[-1]
        self.run("user", "password", ben, self.file("given", GIVEN + "\n"), access=self.anna)
        self.ben = self.log_in("ben", GIVEN)
        self.run("user", "password", ben, self.file("password", PASSWORD + "\n"), self.file("given", GIVEN + "\n"),
                 access=self.ben)
        client = self.run("client", "create", "name=day", "enterpriseId=" + operator, "scopes=" + ",".join(me["scopes"]),
                          "mechanisms=hmac", "-q", access=self.anna).split()[-1]
        self.run("client", "approve", client, codes=(4,), access=self.anna)  # who asked for it
        self.run("client", "approve", client, access=self.ben)
        secret = json.loads(self.run("client", "secret", client, "--json", access=self.anna))
        self.access.update(OTARIA_APPKEY=secret["appKey"], OTARIA_APPSECRET=secret["appSecret"])

    def log_in(self, name, password=PASSWORD):
        kept = os.path.join(self.lab.folder, name + ".session")
        self.run("session", "open", name, self.file("password", password + "\n"), kept, access=self.address)
        assert os.stat(kept).st_mode & 0o777 == 0o600
        return {"OTARIA_CREDENTIALS": kept}

    def approve(self):
        self.ben = self.log_in("ben")  # the day is long, a session of 30 idle minutes is not
        for approval in json.loads(self.run("approval", "list", "--state", "OPEN", "--json", access=self.ben))["items"]:
            self.run("approval", "approve", approval["id"], "--hash", approval["requestHash"], access=self.ben)
        self.run("session", "close", access=self.ben)
        self.run("card", "list", codes=(4,), access=self.ben)

    def enterprise(self, name):
        return self.id("enterprise", "create", "name=" + name, "kind=ENTERPRISE", "region=CN", "timeZone=Asia/Shanghai")

    def user(self, name, enterprise):
        user = self.id("user", "create", "username=" + name, "role=ENTERPRISE_USER", "enterpriseId=" + enterprise)
        self.run("user", "password", user, self.file("password", PASSWORD + "\n"))
        return user

    def works(self, user, enterprise, group, cards):
        """The enterprise's person sees the cards of that group, and may not move one."""
        shown = self.json("user", "show", user)
        assert (shown["username"], shown["role"], shown["enterpriseId"], shown["hasPassword"]) == (
            "carla", "ENTERPRISE_USER", enterprise, True), shown
        granted = [p for p in self.json("permission", "list")["items"] if (p["enterpriseId"], p["groupId"]) == (enterprise, group)]
        assert [sorted(p["operations"]) for p in granted] == [["card.audit", "card.read"]], granted
        carla = self.log_in("carla")
        seen = json.loads(self.run("card", "list", "--limit", "0", "--json", access=carla))["items"]
        assert len(seen) == cards and {card["groupId"] for card in seen} == {group}, (len(seen), seen[:1])
        self.run("card", "move", seen[0]["id"], "--group", group, codes=(4,), access=carla)

    def acts(self, card, subscription):
        """They audit a card of theirs, which they may, and disable nothing on it, which they may not."""
        carla = self.log_in("carla")
        self.run("sub", "disable", card, "--subscription", subscription, codes=(4,), access=carla)
        while json.loads(self.run("card", "audit", card, "--wait=3600", "--json", codes=(0, 5), access=carla))["outcome"] != "done":
            pass
        self.run("session", "close", access=carla)

    def group(self, name):
        return self.id("group", "create", "--name", name)

    def rules(self, group, rules):
        self.run("group", "set", group, self.file("rules.json", rules), "--reason", "roll-out")
        shown = self.json("group", "rules", group)
        self.run("group", "set", group, self.file("rules.json", shown), "--reason", "as it is")  # nothing changes
        assert self.json("group", "rules", group) == shown

    def permit(self, enterprise, group, operations):
        self.run("permission", "set", enterprise, group, ",".join(operations), "--reason", "contract 88")

    def vendor(self, profile):
        self.run("profile", "put", profile)
        for index, (halves, _) in KEYS.items():
            made = self.id("transport-key", "create", f"index={index}", "algorithm=AES128-CBC")
            for person, half in zip((self.anna, self.ben), halves):
                self.run("transport-key", "enter", made, self.file("half", half + "\n"), cbc(half, bytes([1] * 16)).hex()[:6].upper(),
                         access=person)

    def pool(self, name):
        return self.id("pool", "create", "--name", name, "--operator", "TEST-001-01", "--template", "1")

    def load(self, path, pool=None):
        more = ["--kind", "subscriptions", "--pool", pool] if pool else []
        self.run("import", "run", path, "--vendor-profile", "alder", *more)
        return len(self.json("subscription", "list", "--limit", "0", "--pool", pool)["items"]) if pool else len(self.cards())

    def cards(self, query=""):
        filters = [word for pair in query.split("&") if pair for word in ("--" + pair.split("=")[0], pair.split("=")[1])]
        return self.json("card", "list", "--limit", "0", *filters)["items"]

    def move(self, cards, group):
        return self.json("card", "move-all", "--group", group, "--reason", "delivered", "--wait")

    def waiting(self):
        return len(self.cards("state=IMPORTED"))

    def in_doubt(self):
        return len(self.json("dirty", "list", "--limit", "0")["items"])

    def bootstraps(self, group, state):
        return len(self.json("bootstrap", "list", group, "--state", state, "--limit", "0")["items"])

    def stopped(self, group):
        return [job for state in ("FAILED", "PARTIAL")
                for job in self.json("bootstrap", "list", group, "--state", state, "--limit", "0")["items"]]

    def operation(self, operation):
        return self.json("op", "show", operation)

    def resume(self, job, reason):
        self.run("bootstrap", "resume", job, "--reason", reason)

    def campaign(self, document):
        campaign = self.id("campaign", "create", self.file("campaign.json", document))
        return campaign, self.json("campaign", "check", campaign), self.json("campaign", "start", campaign)

    def show_campaign(self, campaign):
        return self.json("campaign", "show", campaign)

    def audit(self, cards):
        for card in cards:
            while not self.json("card", "audit", card["id"], "--wait=3600", codes=(0, 5))["outcome"] == "done":
                pass

    def on_cards(self, pool):
        return self.json("pool", "show", pool)["counts"]["ON_CARD"]

    def slots(self, card):
        return self.json("sub", "list", card["id"])["serverView"]["slots"]

    def kpis(self):
        return self.json("kpi", "show", "--window", "24h")

    def report(self, **order):
        words = [f"{name}={value}" for name, value in order.items()]
        return self.run("report", "create", *words, "--wait", "-q").split()[-1]

    def content(self, report):
        return self.run("report", "content", report, "json").encode()

    def sign(self, report, text):
        self.run("report", "write", report, "6=" + text)
        return self.json("report", "sign-off", report)["signedOff"]

    def metering(self, path, month):
        return self.json("metering", path, "month=" + month, "--limit", "0")["items"]

    def trail_is_whole(self):
        return self.json("trail", "verify")["ok"]

    def trail(self, action):
        return self.json("trail", "list", "--action", action, "--limit", "0")["items"]


class DayLab(Lab):
    """A server that was just installed: nobody was entered yet."""

    def token(self):
        with open(os.path.join(self.data, "setup-token")) as file:
            return file.read().strip()

    def disturb(self):
        """By chance, both ways; and one of each kind for sure, so that a short day has them all."""
        control = Control(self.smsc.ready["control"])
        for number, (fault, (millionths, value)) in enumerate(FAULTS.items()):
            for destination in ("999", "12345"):
                control.post("/rules", {"fault": fault, "destination": destination, "count": 0, "value": value,
                                        "probability": millionths / 1000000})
            control.post("/rules", {"fault": fault, "destination": "999", "skip": 5 + 3 * number, "count": 1, "value": value})

    def silence(self, count):
        """Whatever cards send as these subscriptions of the pool is lost: from so many on that a card takes."""
        control = Control(self.smsc.ready["control"])
        self.silent = [control.post("/rules", {"fault": "lose", "source": f"{FIRST_OF_POOL + 10 * i}", "destination": "12345",
                                               "count": 0})["id"] for i in range(count)]

    def mend(self):
        control = Control(self.smsc.ready["control"])
        for rule in self.silent:
            control.ask("DELETE", f"/rules/{rule}")
        self.silent = []

    def disturbed(self):
        """How often each came. The sure ones alone are one of each; some fifteen more come by chance to ten cards: none of them
        once in a million days."""
        hits = collections.Counter()
        for rule in Control(self.smsc.ready["control"]).get("/rules"):
            hits[rule["fault"]] += rule["hit"]
        assert all(hits[fault] > 0 for fault in FAULTS), hits
        assert sum(hits.values()) > len(FAULTS), hits
        return dict(hits)


def concurrency(cards):
    """So many cards at once, and several times as many that wait for their turn."""
    return min(200, max(3, cards // 3))


def resumed_max(cards):
    """A switch is rolled back when of four notifications none is confirmed: with these faults less than once in 100,000; or when
    the links were away that long. A job stops at its second one, so more than one in a hundred is no chance any more."""
    return max(1, cards // 100)


def are_done(lab, hand, group, cards, resumed):
    """Have all bootstraps ended well? What stopped because its switch was rolled back twice is looked at, and resumed when the
    network is well again."""
    stopped = hand.stopped(group)
    if len(stopped) < len(lab.silent):
        return False
    lab.mend()
    for job in stopped:
        failed = hand.operation(job["operationId"])
        assert (job["state"], failed["type"], failed["outcome"]) == ("PARTIAL", "enable", "rolled_back"), (job, failed)
        hand.resume(job["id"], "the network is well again")
        resumed.append(job["cardId"])
    return hand.bootstraps(group, "DONE") == cards


def at_once(hand):
    """The most cards that were bootstrapped at one time, from what the trail says of each."""
    most = now = 0
    for row in sorted(hand.trail("card.state"), key=lambda row: row["sequence"]):
        now += (row.get("after") == "BOOTSTRAPPING") - (row.get("before") == "BOOTSTRAPPING")
        most = max(most, now)
    assert now == 0, now
    return most


def prepare(lab, hand, cards):
    """Everything before a card is switched on."""
    hand.first_person(lab.token())
    hand.people()
    enterprise = hand.enterprise("Meters")
    carla = hand.user("carla", enterprise)
    hand.vendor(lab.profile)
    pool = hand.pool("first")
    assert hand.load(lab.pool, pool) == 2 * cards
    group = hand.group("meters")
    hand.rules(group, {**PATIENCE, "fourEyes": {"campaignAbove": 5}, "bootstrap": {"enabled": True, "items": [{"poolId": pool, "enable": True}],
                                                 "concurrency": concurrency(cards), "afterwards": "KEEP_AS_FALLBACK",
                                                 "soakSeconds": 60}})
    hand.permit(enterprise, group, ["card.read", "card.audit"])
    assert hand.load(lab.batch) == cards
    moved = hand.move(hand.cards(), group)
    assert moved["status"] == "ENDED" and moved["moved"] == cards and not moved["skipped"], moved
    hand.works(carla, enterprise, group, cards)
    return group, pool


def campaign(hand, group, pool, cards):
    campaign, checked, started = hand.campaign({
        "name": "second subscription", "operation": {"type": "download", "poolId": pool, "enable": "LATER"},
        "target": {"groupIds": [group]}, "rate": {"perSecond": 500}})
    assert checked["state"] == "CHECKED" and checked["funnel"]["targeted"] == cards, checked
    assert started["state"] == "AWAIT_APPROVAL", started
    hand.approve()
    ended = until("the campaign's end", WAIT, lambda: (lambda c: c if c["state"] in ("COMPLETED", "PAUSED") else None)(
        hand.show_campaign(campaign)))
    assert ended["state"] == "COMPLETED", ended
    add_up(ended)
    assert ended["funnel"]["targeted"] == cards and ended["funnel"]["confirmed"] >= cards * 0.9, ended
    return ended["funnel"]["confirmed"]


def compare(hand, truth, cards, pool, downloads):
    """The server's mirror and the cards' own registries."""
    imsis = [slot["imsi"] for card in truth.values() for slot in card["slots"]]
    assert len(imsis) == len(set(imsis)), "a subscription is on two cards"
    assert hand.on_cards(pool) == downloads
    for card in hand.cards()[:: max(1, cards // 50)]:
        ours = {(s["slot"], s["imsi"], s["state"], s["fallback"]) for s in hand.slots(card) if s["state"] != "EMPTY"}
        theirs = {(s["slot"], s["imsi"], s["state"], s["fallback"]) for s in truth[card["iccid"]]["slots"]}
        assert ours == theirs, (card["id"], ours, theirs)


def table(content, name):
    return next(table["rows"] for table in content["tables"] if table["id"] == name)


def reports(hand, group, pool, cards, confirmed):
    """The day as its reports tell it; and the call log beside what is charged."""
    begin = datetime.datetime.fromisoformat(min(card["createdAt"] for card in hand.cards()).replace("Z", "+00:00"))
    stamp = lambda at: at.strftime("%Y-%m-%dT%H:%M:%SZ")
    span = {"from": stamp(begin - datetime.timedelta(hours=1)), "to": stamp(begin + datetime.timedelta(days=90))}
    told = {kind: json.loads(hand.content(hand.report(type=kind, **span)))
            for kind in ("OPERATIONS", "BOOTSTRAP", "INVENTORY", "IMPORTS", "CARD_WRITERS")}
    kinds = {row[0]: row for row in table(told["OPERATIONS"], "operations")}
    assert kinds["download"][2] == cards + confirmed, kinds  # done
    assert kinds["audit"][2] >= min(10, cards), kinds
    assert sum(row[1] for row in table(told["OPERATIONS"], "operations-by-day")) == sum(row[1] for row in kinds.values())
    bootstraps = told["BOOTSTRAP"]["tables"]
    counts, jobs = (next(t for t in bootstraps if t["id"] == name) for name in ("bootstraps-by-group", "bootstraps"))
    for row in counts["rows"]:
        assert {c: n for c, n in zip(counts["columns"][1:], row[1:]) if n} == {"DONE": cards, "bootstraps": cards}, counts
    assert [row[0] for row in counts["rows"]] == ["all", group], counts
    assert {row[3] for row in jobs["rows"]} == {"DONE"}, jobs
    assert len(jobs["rows"]) + jobs["omitted"] == cards, jobs
    assert dict(map(tuple, table(told["INVENTORY"], "cards")))["OPERATIONAL"] == cards, told["INVENTORY"]
    assert [row[4] for row in table(told["INVENTORY"], "groups") if row[0] == group] == [cards]
    assert [row[5] for row in table(told["INVENTORY"], "pools") if row[0] == pool] == [cards + confirmed]  # on cards
    assert sorted(row[6] for row in table(told["IMPORTS"], "imports")) == sorted([cards, 2 * cards])  # loaded
    assert {"client", "rule"} <= {row[0] for row in table(told["CARD_WRITERS"], "card-writers")}
    regulator = hand.report(type="REGULATOR", **span)
    signed = hand.sign(regulator, "Two messages of a hundred were lost.")
    content = hand.content(regulator)
    assert hashlib.sha256(content).hexdigest() == signed["sha256"]
    assert json.loads(content)["texts"]["6"] == "Two messages of a hundred were lost."
    charged = 0
    for month in sorted({stamp(begin + datetime.timedelta(days=days))[:7] for days in (0, 31, 62)}):
        calls = {(i["enterpriseId"], i["api"], i["operationClass"]): i["billable"] for i in hand.metering("calls", month)}
        lines = collections.Counter()
        for line in hand.metering("records", month):
            if line["result"] == "BILLABLE":
                lines[line["enterpriseId"], line["api"], line["operationClass"]] += line["calls"]
        for kind, count in calls.items():
            # Reading them is a query itself.
            assert count == lines[kind] if kind[2] == "CHANGE" else count <= lines[kind], (kind, count, lines[kind])
            charged += count
    assert charged > 0
    return charged


def check_trail(hand):
    """The chain holds, and each step of the day has its row."""
    assert hand.trail_is_whole()
    missing = [action for action in hand.STEPS if not hand.trail(action)]
    assert not missing, missing


def told(began, what):
    print(f"{time.monotonic() - began:6.1f} s: {what}", flush=True)


def day(make_hand, cards):
    folder = tempfile.mkdtemp()
    lab = DayLab(folder, PROGRAMS, cards, 2 * cards, SPEED, ())
    began = time.monotonic()
    try:
        hand = make_hand(lab)
        group, pool = prepare(lab, hand, cards)
        silent = SILENT if cards >= 100 else 0
        lab.disturb()
        lab.silence(silent)
        fleet = lab.fleet(spread=60 if cards < 100 else 600)
        told(began, "prepared")
        until("all cards appeared", WAIT, lambda: hand.waiting() == 0, 0.5)
        told(began, "appeared")
        resumed = []
        until("all bootstraps are done", WAIT, lambda: are_done(lab, hand, group, cards, resumed), 0.5)
        told(began, f"bootstrapped; {len(resumed)} were resumed")
        assert silent <= len(resumed) <= silent + resumed_max(cards), resumed
        assert 1 < at_once(hand) <= concurrency(cards), at_once(hand)
        confirmed = campaign(hand, group, pool, cards)
        told(began, "campaign")
        hand.audit(hand.cards()[:10])
        card = hand.cards()[-1]
        hand.acts(card["id"], next(s["subscriptionId"] for s in hand.slots(card) if s["state"] == "ENABLED"))
        until("no card is in doubt", WAIT, lambda: hand.in_doubt() == 0, 0.5)
        told(began, "clean")
        compare(hand, fleet.truth(), cards, pool, cards + confirmed)
        kpis = {item["id"]: item for item in hand.kpis()["items"]}
        assert kpis["bootstrap-yield"]["part"] == cards and kpis["rollback-rate"]["part"] >= 2 * silent, kpis
        charged = reports(hand, group, pool, cards, confirmed)
        check_trail(hand)
        faults = lab.disturbed()
        lab.stop()
        print(f"by the {hand.NAME}: {cards} cards, {confirmed} with a second subscription, {charged} calls metered; faults: {faults}")
    finally:
        lab.close()
        shutil.rmtree(folder)


def main():
    wanted = sys.argv[2:] or ["ByApi", "ByCli"]
    # By the command line a third, where a card costs some commands; not so in a long run.
    for hand, cards in ((ByApi, CARDS), (ByCli, CARDS if CARDS >= 1000 else CARDS // 3)):
        if hand.__name__ in wanted:
            day(hand, cards)


main()
