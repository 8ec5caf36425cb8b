#!/usr/bin/env python3
"""Operations of cards, the server and now and then the message centre killed amid them: what the server acknowledged, as a log
outside of it has it, ran once at most and has an end that is true. usage: test_killed_operations.py FOLDER-OF-PROGRAMS

OTARIA_KILLS: how often (12 times)."""
import http.client, os, random, shutil, sys, tempfile, threading

from fleet_lab import Lab, until

PROGRAMS = os.path.abspath(sys.argv[1])
SPEED = 100  # virtual seconds a second
CARDS = 48
KILLS = int(os.environ.get("OTARIA_KILLS", "12"))


class Asked:
    """One request, under its key. The log is in this process, which nobody kills."""

    def __init__(self, card, body):
        self.card, self.body, self.id, self.is_refused = card, body, None, False
        self.key = os.urandom(12).hex()

    def send(self, api):
        """True when it is answered for good, whatever became of an answer before."""
        status, document = api.ask_once("POST", f"/cards/{self.card}/operations", self.body, key=self.key)
        if status in (429, 503):
            return False
        assert status in (202, 409), (status, document)
        assert self.id in (None, document.get("id")), "another answer under the same key"
        self.id, self.is_refused = document.get("id"), status == 409
        return True


class Killed:
    def __init__(self, lab, chance):
        self.lab, self.chance, self.log = lab, chance, []
        self.cards = [card["id"] for card in lab.api.all("/cards")]
        self.chance.shuffle(self.cards)
        self.fresh = list(self.cards)  # no download was asked for

    def next(self):
        if self.fresh and self.chance.random() < 0.3:
            body = {"type": "download", "poolId": self.lab.pool_id, "enable": self.chance.choice(["NOW", "LATER"])}
            return Asked(self.fresh.pop(), body)
        return Asked(self.chance.choice(self.cards), {"type": "audit"})

    def work(self):
        """Asks until the server is dead, or this is enough for one life of it."""
        try:
            for _ in range(20):
                if not self.log or self.log[-1].id is not None or self.log[-1].is_refused:
                    self.log.append(self.next())
                self.log[-1].send(self.lab.api)
        except (OSError, ValueError, http.client.HTTPException):
            pass  # what was asked last may have happened

    def kill(self, number):
        """True when operations were open at that time, as the next life counts them."""
        killer = threading.Timer(self.chance.uniform(0.05, 0.6), self.lab.server.kill)
        killer.start()
        self.work()
        killer.join()
        if number % 4 == 3:  # all that it holds is gone
            smsc = self.lab.smsc
            smsc.kill()
            smsc.process.stdout.close()
            smsc.arguments[smsc.arguments.index("--listen") + 1] = smsc.ready["smpp"]
            smsc.start()
        self.lab.server.process.stdout.close()
        self.lab.server.start()
        self.lab.connect()
        while not self.log[-1].send(self.lab.api):
            pass
        return len(self.open())

    def open(self):
        return [o for o in self.lab.api.all("/operations") if o["status"] != "ENDED"]

    def is_quiet(self):
        dirty = self.lab.api.get("/cards", "mark=DIRTY&perPage=1")["pagination"]["totalCount"]
        return dirty == 0 and not self.open()


def check(killed, before, truth):
    api, asked = killed.lab.api, {}
    for entry in killed.log:
        if entry.id is not None:
            other = asked.setdefault(entry.id, entry)  # an audit that is under way is nobody's second one
            assert other.card == entry.card and (other is entry or entry.body["type"] == "audit"), "one operation for two requests"
    known = {o["id"]: o for o in api.all("/operations")}
    theirs = {id for id, o in known.items() if o["requestedBy"]["kind"] == "CLIENT"}
    assert theirs <= set(asked) <= set(known), (theirs - set(asked), set(asked) - set(known))
    for card in api.all("/cards"):
        slots = truth[card["iccid"]]["slots"]
        view = api.get(f"/cards/{card['id']}/subscriptions")["serverView"]["slots"]
        ours = {(s["slot"], s["imsi"], s["state"], s["fallback"]) for s in view if s["state"] != "EMPTY"}
        assert ours == {(s["slot"], s["imsi"], s["state"], s["fallback"]) for s in slots}, card["id"]
        mine = [known[id] for id, entry in asked.items() if entry.card == card["id"]]
        downloads = [o for o in mine if o["type"] == "download"]
        added = len(slots) - len(before[card["iccid"]]["slots"])
        assert added == sum(o["outcome"] in ("done", "rolled_back") for o in downloads) <= 1, (slots, downloads)
        for operation in mine:
            if operation["requestedBy"]["kind"] != "CLIENT":
                continue  # it was open already, and served whoever asked
            rows = api.get("/audit-trail", f"operationId={operation['id']}&action=operation.requested&perPage=1")
            assert rows["pagination"]["totalCount"] == 1, operation
    imsis = [slot["imsi"] for card in truth.values() for slot in card["slots"]]
    assert len(imsis) == len(set(imsis)), "a subscription is on two cards"
    verified = api.post("/audit-trail/verify", {})
    assert verified["ok"], verified


def main():
    folder = tempfile.mkdtemp()
    lab = Lab(folder, PROGRAMS, CARDS, CARDS, SPEED)
    try:
        lab.imports()
        fleet = lab.fleet(spread=5)
        until("all cards appeared", 60, lambda: lab.api.get("/cards", "state=IMPORTED&perPage=1")["pagination"]["totalCount"] == 0, 0.2)
        killed, before = Killed(lab, random.Random(11)), fleet.truth()
        amid = kills = 0
        while kills < KILLS or (amid <= KILLS // 10 and kills < 5 * KILLS):  # a busy machine kills it where nothing is open
            amid += killed.kill(kills) > 0
            kills += 1
        until("all operations have ended, and no card is in doubt", 180, killed.is_quiet, 0.5)
        check(killed, before, fleet.truth())
        assert amid > KILLS // 10, amid
        lab.stop()
        counts = {kind: sum(entry.id is not None and entry.body["type"] == kind for entry in killed.log) for kind in ("audit", "download")}
        print(f"{kills} kills of the server, {kills // 4} of the message centre, {amid} amid open operations; ran once: {counts}")
        print('figure {"name": "fault.kills", "value": %d, "unit": "kills", "what": "amid operations"}' % (kills + kills // 4))
    finally:
        lab.close()
        shutil.rmtree(folder)


main()
