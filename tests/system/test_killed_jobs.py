#!/usr/bin/env python3
"""The server, killed amid moves of many cards, reports and bootstraps: what it acknowledged, as a log outside of it has it, is
done at the end, and stands in the trail once. usage: test_killed_jobs.py FOLDER-OF-PROGRAMS

OTARIA_KILLS: how often (12 times)."""
import collections, http.client, os, random, shutil, sqlite3, sys, tempfile, threading

from fleet_lab import Lab, until

PROGRAMS = os.path.abspath(sys.argv[1])
SPEED = 100       # virtual seconds a second
CARDS, BOOTED = 240, 8
KILLS = int(os.environ.get("OTARIA_KILLS", "12"))
SPAN = {"from": "2026-01-01T00:00:00Z", "to": "2027-01-01T00:00:00Z"}


class Asked:
    """One request, under its key. The log is in this process, which nobody kills."""

    def __init__(self, kind, path, body):
        self.kind, self.path, self.body, self.id = kind, path, body, None
        self.key = os.urandom(12).hex()

    def send(self, api):
        """True when it is acknowledged, whatever became of the answer before."""
        status, document = api.ask_once("POST", self.path, self.body, key=self.key)
        if status == 429:
            return False
        assert status in (201, 202), (self.kind, status, document)
        assert self.id in (None, document["id"]), "another answer under the same key"
        self.id = document["id"]
        return True


class Jobs(Lab):
    def prepare(self):
        self.imports()
        cards = [card["id"] for card in self.api.all("/cards")]
        self.boot, self.moving = cards[:BOOTED], cards[BOOTED:]
        self.places = [self.api.post("/card-groups", {"name": name})["id"] for name in ("a", "b")]
        self.group = self.api.post("/card-groups", {"name": "boot"})["id"]
        rule = {"enabled": True, "trigger": "MANUAL", "items": [{"poolId": self.pool_id, "enable": True}], "soakSeconds": 60,
                "afterwards": "KEEP_AS_FALLBACK"}
        status, document = self.api.ask("PATCH", f"/card-groups/{self.group}/rules", {"bootstrap": rule, "reason": "roll-out"})
        assert status == 200, document
        for card in self.boot:
            status, document = self.api.ask("PATCH", "/cards/" + card, {"groupId": self.group})
            assert status == 200, document

    def next(self, chance, log):
        """What is asked for next: mostly moves, now and then a report; and the bootstraps of all cards that have one."""
        started = sum(asked.kind == "bootstrap" for asked in log)
        if started < BOOTED and chance.random() < 0.15:
            return Asked("bootstrap", f"/card-groups/{self.group}/bootstrap-jobs", {"cardId": self.boot[started]})
        if chance.random() < 0.3:
            return Asked("report", "/reports", {"type": chance.choice(["OPERATIONS", "INVENTORY", "CARD_WRITERS"]), **SPAN})
        body = {"target": {"cardIds": self.moving}, "groupId": chance.choice(self.places), "reason": "to and fro"}
        return Asked("move", "/cards/moves", body)

    def work(self, chance, log):
        """Asks until the server is dead."""
        sent = 0
        try:
            while True:
                if not log or log[-1].id is not None:
                    log.append(self.next(chance, log))
                sent += log[-1].send(self.api)
        except (OSError, ValueError, http.client.HTTPException):
            return sent  # what was asked last may have happened

    def open_jobs(self, log):
        return [asked for asked in log if asked.kind != "bootstrap"
                and self.api.get(f"{asked.path}/{asked.id}")["status"] == "RUNNING"]

    def had_open_jobs(self):
        """Did the server die amid a move or a report? Its database says so."""
        with sqlite3.connect(f"file:{self.data}/registry.db?mode=ro", uri=True) as db:
            found = db.execute("SELECT count(*) FROM document WHERE kind IN ('card-move', 'report') AND state = 0").fetchone()[0]
        db.close()
        return found > 0

    def rows(self, **filters):
        query = "&".join(f"{name}={value}" for name, value in filters.items())
        return self.api.get("/audit-trail", query + "&perPage=1")["pagination"]["totalCount"]


def kill_again_and_again(lab, chance, log):
    """Returns how many kills met a move or a report that was under way."""
    acknowledged = met = 0
    for _ in range(KILLS):
        killer = threading.Timer(chance.uniform(0.01, 0.3), lab.server.kill)
        killer.start()
        acknowledged += lab.work(chance, log)
        killer.join()
        met += lab.had_open_jobs()
        lab.server.process.stdout.close()
        lab.server.start()
        lab.connect()
        if log[-1].id is None:
            while not log[-1].send(lab.api):
                pass
        assert chance.choice(log).send(lab.api)  # an earlier one has the answer that it had
    while sum(asked.kind == "bootstrap" for asked in log) < BOOTED:
        log.append(lab.next(chance, log))
        while not log[-1].send(lab.api):
            pass
    assert acknowledged > KILLS // 4 and met > KILLS // 4, (acknowledged, met)
    return met


def check_moves(lab, log):
    moves = [asked for asked in log if asked.kind == "move"]
    for asked in moves:
        job = lab.api.get(f"/cards/moves/{asked.id}")
        stayed = job["skipped"].get("UNCHANGED", 0) if isinstance(job["skipped"], dict) else sum(
            skipped["count"] for skipped in job["skipped"])
        assert job["status"] == "ENDED" and job["visited"] == len(lab.moving) == job["moved"] + stayed, job
        assert lab.rows(action="card.moved", correlator=asked.id) == job["moved"], job
    assert lab.rows(action="card-move.created") == len(moves)
    # They are done in the order in which they were acknowledged.
    places = {lab.api.get("/cards/" + card)["groupId"] for card in lab.moving}
    assert places == {moves[-1].body["groupId"]}, places


def check_reports(lab, log):
    reports = [asked for asked in log if asked.kind == "report"]
    for asked in reports:
        assert lab.api.get("/reports/" + asked.id)["status"] == "ENDED"
        assert lab.api.get(f"/reports/{asked.id}/content")["tables"]
    assert lab.rows(action="report.created") == len(reports)


def check_bootstraps(lab, log, truth):
    started = {asked.id for asked in log if asked.kind == "bootstrap"}
    jobs = {job["id"]: job for job in lab.api.all(f"/card-groups/{lab.group}/bootstrap-jobs")}
    assert set(jobs) == started and len(started) == BOOTED, (jobs, started)
    for job in jobs.values():
        assert job["state"] == "DONE", job
        rows = lab.api.all("/audit-trail", f"cardId={job['cardId']}&action=card.bootstrap&sort=sequence")
        steps = [row["after"] for row in rows]
        assert len(steps) == len(set(steps)) and steps[-1] == "DONE", steps  # each step once, however often it was killed
        done = collections.Counter(
            operation["type"] for operation in lab.api.all(f"/cards/{job['cardId']}/operations") if operation.get("outcome") == "done")
        assert done["download"] == 1, done
    imsis = [slot["imsi"] for card in truth.values() for slot in card["slots"]]
    assert len(imsis) == len(set(imsis)), "a subscription is on two cards"
    assert lab.api.get("/subscription-pools/" + lab.pool_id)["counts"]["ON_CARD"] == BOOTED


def is_verified(api):
    """Many rows are verified beside the server's work, and the answer says where the verdict will be."""
    answer = api.post("/audit-trail/verify", {})
    if "ok" in answer:
        return answer["ok"]
    look = lambda: api.get("/audit-trail/verifications/" + answer["id"])
    return until("the verdict", 30, lambda: (lambda v: v if v["status"] == "ENDED" else None)(look()), 0.1)["verdict"]["ok"]


def main():
    folder, chance, log = tempfile.mkdtemp(), random.Random(7), []
    lab = Jobs(folder, PROGRAMS, CARDS, BOOTED, SPEED)
    try:
        lab.prepare()
        fleet = lab.fleet(spread=5)
        until("all cards appeared", 60, lambda: lab.api.get("/cards", "state=IMPORTED&perPage=1")["pagination"]["totalCount"] == 0, 0.2)
        met = kill_again_and_again(lab, chance, log)
        until("all moves and reports have ended", 60, lambda: not lab.open_jobs(log), 0.2)
        done = lambda: all(job["state"] == "DONE" for job in lab.api.all(f"/card-groups/{lab.group}/bootstrap-jobs"))
        until("all bootstraps are done", 90, done, 0.2)
        check_moves(lab, log)
        check_reports(lab, log)
        check_bootstraps(lab, log, fleet.truth())
        assert is_verified(lab.api)
        lab.stop()
        kinds = collections.Counter(asked.kind for asked in log)
        print(f"{KILLS} kills, {met} of them amid a move or a report; done once: {dict(kinds)}")
    finally:
        lab.close()
        shutil.rmtree(folder)


main()
