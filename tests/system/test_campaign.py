#!/usr/bin/env python3
"""A campaign that downloads a subscription onto each of a fleet's emulated cards, with the real server killed in the middle:
each card is asked once, the funnel adds up, and the cards hold what the server says.
usage: test_campaign.py FOLDER-OF-PROGRAMS"""
import collections, os, shutil, sys, tempfile

from fleet_lab import FUNNEL, Lab, add_up, until

PROGRAMS = os.path.abspath(sys.argv[1])
SPEED = 50  # virtual seconds a second
CARDS = 24
OUTSIDE = 2  # of them that are retired before the check


def start(lab):
    campaign = lab.api.post("/campaigns", {
        "name": "second subscription", "operation": {"type": "download", "poolId": lab.pool_id, "enable": "LATER"},
        "target": {"filter": {}}, "rate": {"perSecond": 1}, "canary": {"count": 4}})["id"]
    status, checked = lab.api.ask("POST", f"/campaigns/{campaign}/check")
    assert status == 200 and checked["state"] == "CHECKED", checked
    assert checked["funnel"]["targeted"] == CARDS and checked["funnel"]["eligible"] == CARDS - OUTSIDE, checked
    add_up(checked)
    status, document = lab.api.ask("POST", f"/campaigns/{campaign}/start")
    assert status == 200, document
    return campaign


def kill_in_the_middle(lab, campaign):
    """Before the canary's end, and twice after it; what is shown adds up every time."""
    for left in (CARDS - OUTSIDE - 2, CARDS - OUTSIDE - 6, CARDS // 2):
        until(f"{left} cards wait", 30, lambda: lab.api.get("/campaigns/" + campaign)["progress"]["waiting"] <= left, 0.02)
        lab.kill_server()
        shown = lab.api.get("/campaigns/" + campaign)
        add_up(shown)
        assert shown["state"] != "COMPLETED", "killed too late to show anything"
        if shown["state"] == "PAUSED":  # no link for 30 s of this world's time
            assert shown["stateReason"] == "NO_LINK", shown
            lab.api.ask("POST", f"/campaigns/{campaign}/resume")


def check(lab, campaign, truth, pool_imsis):
    shown = lab.api.get("/campaigns/" + campaign)
    add_up(shown)
    assert shown["funnel"] == dict(zip(FUNNEL, [CARDS] + [CARDS - OUTSIDE] * 5)), shown
    assert shown["losses"] == [{"step": "eligible", "reason": "CARD_RETIRED", "count": OUTSIDE}], shown
    rows = {row["cardId"]: row for row in lab.api.all(f"/campaigns/{campaign}/cards")}
    excluded = {row["cardId"] for row in lab.api.all(f"/campaigns/{campaign}/exclusions")}
    asked = collections.Counter(o["cardId"] for o in lab.api.all("/operations", "campaignId=" + campaign))
    assert len(excluded) == OUTSIDE and len(rows) == CARDS
    assert asked == {card: 1 for card in rows if card not in excluded}, asked
    for card in lab.api.all("/cards"):
        ours = [slot["imsi"] for slot in truth[card["iccid"]]["slots"] if slot["imsi"] in pool_imsis]
        assert len(ours) == (0 if card["id"] in excluded else 1), (card["id"], ours)
    counts = lab.api.get("/subscription-pools/" + lab.pool_id)["counts"]
    assert counts == {"FREE": OUTSIDE, "RESERVED": 0, "ON_CARD": CARDS - OUTSIDE, "RETIRED": 0}, counts
    status, text = lab.api.ask("GET", "/audit-trail", query="action=campaign.state&perPage=100")
    assert [row["after"] for row in text["items"]][:1] == ["COMPLETED"], text["items"][:2]
    assert lab.api.post("/audit-trail/verify", {})["ok"]
    print(f"{CARDS} cards, 3 kills: each was asked once, and the funnel adds up")


def main():
    folder = tempfile.mkdtemp()
    lab = Lab(folder, PROGRAMS, CARDS, CARDS, SPEED)
    try:
        lab.imports()
        imsis = {s["imsi"] for s in lab.api.all("/subscriptions", "poolId=" + lab.pool_id)}
        cards = lab.api.all("/cards")
        fleet = lab.fleet()
        until("first contact", 30, lambda: lab.api.get("/cards", "state=SEEN&perPage=1")["pagination"]["totalCount"] == CARDS)
        until("no card is in doubt", 30, lambda: lab.api.get("/dirty-cards", "perPage=1")["pagination"]["totalCount"] == 0)
        for card in cards[:OUTSIDE]:
            status, document = lab.api.ask("PATCH", "/cards/" + card["id"], {"state": "RETIRED", "reason": "scrapped"})
            assert status == 200, document
        campaign = start(lab)
        kill_in_the_middle(lab, campaign)
        until("the campaign is completed", 60, lambda: lab.api.get("/campaigns/" + campaign)["state"] == "COMPLETED", 0.05)
        check(lab, campaign, fleet.truth(), imsis)
        lab.stop()
    finally:
        lab.close()
        shutil.rmtree(folder)


main()
