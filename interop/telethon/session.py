"""Telethon makes a session and keeps it, or uses one: `keep FOLDER`, `use FORMAT FILE`."""

import asyncio
import json
import sys
from pathlib import Path

from telethon import functions
from telethon.sessions import SQLiteSession, StringSession

from local import check, client, empty, host, port, server


async def keep(folder):
    """Signs in and keeps the session in each form that Telethon has."""
    file = folder / "made.session"
    telegram = client(session=empty(SQLiteSession(str(file))))
    await telegram.connect()
    account = server["accounts"][0]
    await telegram.send_code_request(account["phone"])
    me = await telegram.sign_in(account["phone"], account["code"])
    check(me.id == account["user_id"], f"signed in as {me.id}")
    text = folder / "telethon.txt"
    text.write_text(StringSession.save(telegram.session))
    await telegram.disconnect()
    print(json.dumps({"telethon": str(text), "telethon-file": str(file)}))


async def use(form, file):
    """Says who is signed in by a session of somebody else, and what there is to see."""
    session = StringSession(file.read_text().strip()) if form == "telethon" else SQLiteSession(str(file))
    where = (session.dc_id, session.server_address, session.port)
    check(where == (server["dc_id"], host, port), f"the session leads to {where}")
    telegram = client(session=session)
    await telegram.connect()
    check(await telegram.is_user_authorized(), "not signed in")
    me = await telegram.get_me()
    web = await telegram(functions.account.GetWebAuthorizationsRequest())
    devices = await telegram(functions.account.GetAuthorizationsRequest())
    await telegram.disconnect()
    print(json.dumps({"id": me.id, "web": len(web.authorizations), "devices": len(devices.authorizations)}))


async def main():
    match sys.argv[2:]:
        case ["keep", folder]:
            await keep(Path(folder))
        case ["use", form, file]:
            await use(form, Path(file))
    print("done")


asyncio.run(main())
