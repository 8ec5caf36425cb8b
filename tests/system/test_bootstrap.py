#!/usr/bin/env python3
"""Bootstraps of emulated cards by the rules of two groups, with the server killed in the middle.
usage: test_bootstrap.py FOLDER-OF-PROGRAMS"""
import os, shutil, sys, tempfile

from fleet_lab import Lab, until

PROGRAMS = os.path.abspath(sys.argv[1])
SPEED = 100  # virtual seconds a second
CARDS = 8


class Bootstraps(Lab):
    def group(self, name, afterwards):
        group = self.api.post("/card-groups", {"name": name})["id"]
        rule = {"enabled": True, "items": [{"poolId": self.pool_id, "rank": 2}, {"poolId": self.pool_id, "enable": True}],
                "afterwards": afterwards, "soakSeconds": 120}
        status, document = self.api.ask("PATCH", f"/card-groups/{group}/rules", {"bootstrap": rule, "reason": "roll-out"})
        assert status == 200, document
        return group

    def jobs(self):
        return [job for group in self.groups for job in self.api.all(f"/card-groups/{group}/bootstrap-jobs")]


def main():
    folder = tempfile.mkdtemp()
    lab = Bootstraps(folder, PROGRAMS, CARDS, 2 * CARDS + 1, SPEED)
    try:
        lab.imports()
        lab.groups = [lab.group("kept", "KEEP_AS_FALLBACK"), lab.group("deleted", "DELETE")]
        cards = lab.api.all("/cards")
        for number, card in enumerate(cards):
            status, document = lab.api.ask("PATCH", "/cards/" + card["id"], {"groupId": lab.groups[number % 2]})
            assert status == 200, document
        fleet = lab.fleet()
        for wanted in ("DOWNLOADING", "ENABLING", "SOAKING", "FINISHING"):
            until(f"a job is {wanted} or further", 60, lambda: any(
                job["state"] == wanted or job["state"] == "DONE" for job in lab.jobs()), 0.02)
            lab.kill_server()
        try:
            until("all jobs are done", 90, lambda: len(lab.jobs()) == CARDS and all(
                job["state"] == "DONE" for job in lab.jobs()), 0.2)
        except Exception:
            for job in lab.jobs():
                print(job, [(o["type"], o["status"], o.get("outcome")) for o in lab.api.all(f"/cards/{job['cardId']}/operations")])
            raise
        check(lab, fleet.truth(), cards)
        lab.stop()
    finally:
        lab.close()
        shutil.rmtree(folder)


def check(lab, truth, cards):
    counts = lab.api.get("/subscription-pools/" + lab.pool_id)["counts"]
    assert counts == {"FREE": 1, "RESERVED": 0, "ON_CARD": 2 * CARDS, "RETIRED": 0}, counts
    imsis = [slot["imsi"] for card in truth.values() for slot in card["slots"]]
    assert len(imsis) == len(set(imsis)), "a subscription is on two cards"
    for card in lab.api.all("/cards"):
        view = lab.api.get(f"/cards/{card['id']}/subscriptions")
        ours = {(s["slot"], s["imsi"], s["state"], s["fallback"]) for s in view["serverView"]["slots"] if s["state"] != "EMPTY"}
        theirs = {(s["slot"], s["imsi"], s["state"], s["fallback"]) for s in truth[card["iccid"]]["slots"]}
        assert ours == theirs, (ours, theirs)
        roles = {slot["role"]: slot for slot in truth[card["iccid"]]["slots"]}
        is_kept = card["groupId"] == lab.groups[0]
        assert card["state"] == "OPERATIONAL", card
        assert ("BOOTSTRAP" in roles) == is_kept and (not is_kept or roles["BOOTSTRAP"]["fallback"]), roles
        # Each command ran once, however often the server was killed.
        kinds = [o["type"] for o in lab.api.all(f"/cards/{card['id']}/operations") if o.get("outcome") == "done"]
        assert kinds.count("download") == 2 and kinds.count("delete") == (0 if is_kept else 1), kinds
    assert lab.api.post("/audit-trail/verify", {})["ok"]
    print(f"{len(cards)} cards, 4 kills: as planned")


main()
