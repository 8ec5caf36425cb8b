#!/usr/bin/env python3
"""What the server says of a month that two clients of two enterprises spent with it, beside what this test makes of the
call log's lines, by its own arithmetic; also after the server was killed. usage: test_metering.py FOLDER-OF-PROGRAMS"""
import collections, csv, datetime, io, os, secrets, sys, unittest, urllib.request
import zoneinfo

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from alone import Alone, until  # noqa: E402
from system import Api  # noqa: E402

ESIM = "/esim-profile-management/v0.1"
TIERS = [{"from": 1, "to": 3, "unitPrice": 700}, {"from": 4, "to": 10, "unitPrice": 50}, {"from": 11, "unitPrice": 1}]
RESULTS = {"BILLABLE": "billable", "REPEATED": "repeated", "DRY_RUN": "dryRuns", "REFUSED": "refused", "FAILED": "failed"}


class Esim(Api):
    BASE = ESIM


def price(calls):
    """One call after the other, each in its bracket."""
    amount = 0
    for number in range(1, calls + 1):
        amount += next(t["unitPrice"] for t in TIERS if t["from"] <= number <= t.get("to", number))
    return amount


class Metering(Alone):
    def cards(self, count):
        with open(self.load(count, "METER01")) as file:
            return [line.split()[0] for line in file if line.startswith("8999")]

    def enterprise(self, name, zone):
        """An enterprise, a client of it, and the cards that it may read."""
        made = self.api.post("/enterprises", {"name": name, "kind": "ENTERPRISE", "region": "CN", "timeZone": zone})["id"]
        client = self.api.post("/api-clients", {
            "name": name, "enterpriseId": made, "mechanisms": ["hmac"],
            "scopes": ["cards:read", "iot-device-management:esim-profiles:retrieve-status"]})["id"]
        self.api.post(f"/api-clients/{client}/approve", {})
        secret = self.api.post(f"/api-clients/{client}/secrets", {})
        group = self.api.post("/card-groups", {"name": "of " + name, "enterpriseId": made})["id"]
        status, document = self.api.ask("PUT", f"/permissions/{made}/{group}", {"operations": ["card.read"], "reason": "contract"})
        self.assertEqual(status, 200, document)
        return made, (secret["appKey"], secret["appSecret"]), group

    def query(self, client, iccid, wanted=200):
        status, document = Esim(self.program.ready["http"], [client]).ask("POST", "/retrieve-status", {"esimProfile": {"iccid": iccid}})
        self.assertEqual(status, wanted, document)

    def live(self, now):
        """Calls of every kind; what was asked, by hand: (enterprise, API, class, result) and the cards of each enterprise."""
        iccids = self.cards(6)
        # Where it is the same month as here: on its first and last days not everywhere.
        apart = 2 <= now.day <= 27
        north = self.enterprise("North", "Asia/Shanghai" if apart else "UTC")
        south = self.enterprise("South", "America/Bogota" if apart else "+00:00")
        self.zones = {north[0]: "Asia/Shanghai" if apart else "UTC", south[0]: "America/Bogota" if apart else "UTC"}
        for enterprise in self.zones:
            status, document = self.api.ask("PUT", "/metering/tariffs", {
                "validFrom": now.strftime("%Y-%m"), "api": "E", "operationClass": "QUERY", "unit": "CNY 0.001", "tiers": TIERS,
                "enterpriseId": enterprise})
            self.assertEqual(status, 200, document)
        for enterprise, part in ((north, iccids[:4]), (south, iccids[4:])):
            for iccid in part:
                found = self.api.post("/cards/search", {"iccid": iccid})["items"][0]["id"]
                status, document = self.api.ask("PATCH", "/cards/" + found, {"groupId": enterprise[2]})
                self.assertEqual(status, 200, document)
        asked = collections.Counter()
        for enterprise, part, times in ((north, iccids[:3], 5), (south, iccids[4:5], 2)):
            for iccid in part * times:
                self.query(enterprise[1], iccid)
                asked[enterprise[0], "E", "QUERY", "BILLABLE"] += 1
        for iccid in iccids[4:]:  # another's: for the caller they do not exist
            self.query(north[1], iccid, 404)
            asked[north[0], "E", "QUERY", "FAILED"] += 1
        outsider = Api(self.program.ready["http"], [south[1]])
        for _ in range(3):
            self.assertEqual(outsider.ask("GET", "/operations")[0], 403)
            asked[south[0], "F", "QUERY", "REFUSED"] += 1
        key = secrets.token_hex(8)
        for _ in range(4):
            self.api.post("/subscription-pools", {"name": "p", "operator": "o", "templateId": 1}, key=key)
        self.assertEqual(self.api.ask("POST", "/subscription-pools", {"name": "q", "operator": "o", "templateId": 1},
                                      query="dryRun=true")[0], 200)
        return north, south, asked

    def lines(self, month):
        """The log as CSV."""
        query = "month=" + month
        path = Api.BASE + "/metering/records"
        request = urllib.request.Request(f"http://{self.program.ready['http']}{path}?{query}")
        request.add_header("Authorization", self.api.sign("GET", path, query, "", "", b""))
        request.add_header("Accept", "text/csv")
        with urllib.request.urlopen(request, timeout=30) as answer:
            self.assertEqual(answer.headers["Content-Type"], "text/csv; charset=utf-8")
            return list(csv.DictReader(io.StringIO(answer.read().decode())))

    def compare(self, month, asked):
        lines = self.lines(month)
        sums, cards = collections.Counter(), collections.defaultdict(set)
        for line in lines:
            zone = zoneinfo.ZoneInfo(self.zones.get(line["enterpriseId"], "UTC"))
            minute = datetime.datetime.fromisoformat(line["minute"].replace("Z", "+00:00"))
            self.assertEqual(minute.astimezone(zone).strftime("%Y-%m"), line["month"])
            kind = line["enterpriseId"], line["api"], line["operationClass"]
            sums[(*kind, line["result"])] += int(line["calls"])
            if line["cardId"] and line["result"] == "BILLABLE" and line["operationClass"] == "QUERY" and line["api"] == "E":
                cards[line["enterpriseId"]].add(line["cardId"])
        for kind, calls in asked.items():
            self.assertEqual(sums[kind], calls, kind)
        items = self.api.all("/metering/calls", "month=" + month)
        # This very question and those after the lines were read are calls of the operator's own.
        ours = [item for item in items if item["enterpriseId"] in self.zones]
        self.assertEqual(len(ours), len({kind[:3] for kind in sums if kind[0] in self.zones}))
        for item in ours:
            kind = item["enterpriseId"], item["api"], item["operationClass"]
            for result, member in RESULTS.items():
                self.assertEqual(item[member], sums[(*kind, result)], (kind, result))
            if item["api"] == "E":
                self.assertEqual(item["amount"], price(item["billable"]), item)
                self.assertEqual(sum(tier["amount"] for tier in item["tiers"]), item["amount"])
                self.assertEqual(sum(tier["calls"] for tier in item["tiers"]), item["billable"])
            else:
                self.assertNotIn("tariff", item)
        for query in ("month=" + month, "year=" + month[:4]):
            queried = {item["enterpriseId"]: item for item in self.api.all("/metering/cards-queried", query + "&api=E")}
            self.assertEqual({e: i["distinctCards"] for e, i in queried.items()}, {e: len(c) for e, c in cards.items()})
            for enterprise, item in queried.items():
                self.assertEqual(item["calls"], sums[enterprise, "E", "QUERY", "BILLABLE"])
        self.assertEqual(self.api.all("/metering/cards-queried", "month=" + month), [])  # nobody asked A or B
        return lines, sums

    def test_every_figure_can_be_made_again_from_the_log(self):
        now = datetime.datetime.now(datetime.timezone.utc)
        month = now.strftime("%Y-%m")
        north, south, asked = self.live(now)
        seen = lambda: any(line["result"] == "DRY_RUN" for line in self.lines(month))
        until("the last call is in the log", 10, seen, 0.1)
        lines, sums = self.compare(month, asked)
        changes = [l for l in lines if l["operation"] == "POST /subscription-pools"]
        self.assertEqual({l["result"]: int(l["calls"]) for l in changes}, {"BILLABLE": 1, "REPEATED": 3, "DRY_RUN": 1})
        self.kill()
        self.start()
        self.assertEqual(self.compare(month, asked)[1][north[0], "E", "QUERY", "BILLABLE"], sums[north[0], "E", "QUERY", "BILLABLE"])

    def test_a_change_that_was_answered_is_in_the_log_of_a_killed_server(self):
        month = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m")
        for number in range(20):
            self.api.post("/subscription-pools", {"name": f"p{number}", "operator": "o", "templateId": 1})
        self.kill()
        self.start()
        calls = [int(l["calls"]) for l in self.lines(month) if l["operation"] == "POST /subscription-pools"]
        self.assertEqual(sum(calls), 20)


if __name__ == "__main__":
    unittest.main()
