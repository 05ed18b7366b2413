"""kurigram makes a session and keeps it, or uses one: `keep FOLDER`, `use FORMAT FILE`."""

import asyncio
import json
import sys
from pathlib import Path

from pyrogram import raw
from pyrogram.connection import Connection

from local import check, client, host, port, server


async def keep(folder):
    """Signs in and keeps the session in each form that kurigram has."""
    telegram = client("made", in_memory=False, workdir=folder)
    await telegram.connect()
    # It writes down where it dials by itself, not where it was led.
    await telegram.storage.server_address(host)
    await telegram.storage.port(port)
    account = server["accounts"][0]
    sent = await telegram.send_code(account["phone"])
    me = await telegram.sign_in(account["phone"], sent.phone_code_hash, account["code"])
    check(me.id == account["user_id"], f"signed in as {me.id}")
    text = folder / "pyrogram.txt"
    text.write_text(await telegram.export_session_string())
    await telegram.storage.save()
    await telegram.disconnect()
    print(json.dumps({"pyrogram": str(text), "pyrogram-file": str(folder / "made.session")}))


async def use(form, file):
    """Says who is signed in by a session of somebody else, and what there is to see."""
    if form == "pyrogram":
        # The string has no address: kurigram takes that of the data centre of this number.
        telegram = client(session_string=file.read_text().strip())
    else:
        telegram = client(file.stem, in_memory=False, connection=Connection, workdir=file.parent)
    await telegram.start()
    web = await telegram.invoke(raw.functions.account.GetWebAuthorizations())
    devices = await telegram.get_active_sessions()
    told = {
        "id": telegram.me.id,
        "web": len(web.authorizations),
        "devices": len(devices.active_sessions),
    }
    kept = (await telegram.storage.user_id(), await telegram.storage.dc_id())
    check(kept == (telegram.me.id, server["dc_id"]), f"the session says user and data centre {kept}")
    await telegram.stop()
    print(json.dumps(told))


async def main():
    match sys.argv[2:]:
        case ["keep", folder]:
            await keep(Path(folder))
        case ["use", form, file]:
            await use(form, Path(file))
    print("done")


asyncio.run(main())
