"""opentele, which reads Telegram Desktop's folder as Telegram Desktop does, reads the one that chappe wrote."""

import base64
import sys
from pathlib import Path

from opentele.td import TDesktop

sys.path.append(str(Path(__file__).resolve().parent.parent))
from ours import Chappe
from program import check, server

def main():
    chappe = Chappe()
    chappe.login()
    text = chappe.say("session", "export", "--format", "telethon", "--reveal")["session"]
    key = base64.urlsafe_b64decode(text[1:])[-256:]
    folder = chappe.home / "tdata"
    chappe.say("session", "export", "--format", "tdata", "--output", folder)
    desktop = TDesktop(str(folder))
    check(desktop.isLoaded() and desktop.accountsCount == 1, f"{desktop.accountsCount} accounts")
    account = desktop.mainAccount
    check(account.authKey.key == key, "another key")
    who = (account.UserId, account.MainDcId)
    check(who == (server["accounts"][0]["user_id"], server["dc_id"]), f"user and data centre {who}")
    print("done")


main()
